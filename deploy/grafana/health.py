"""What is broken, given up, or about to be."""

from deploy.grafana.panels import WINDOW, Board, Panel, Query, Row, rate, share


def _lately(counter: str, by: str) -> str:
    return f"sum by ({by}) (increase({counter}[{WINDOW}]))"


def _of_process(metric: str) -> str:
    # What the Python client says of its process does not name the service.
    named = "group by (job, instance, service) (resight_stage_ready)"
    return f"sum by (service) ({metric} * on (job, instance) group_left (service) {named})"


SERVICES = Row(
    "Services",
    [
        Panel(
            "Replicas that take work",
            "0 of a service: nothing gets past it. /readyz says why.",
            [Query("sum by (service) (resight_stage_ready)")],
        ),
        Panel(
            "Attempts that failed",
            "A dependency was away, and the service tries again; its log names it.",
            [Query(_lately("resight_stage_transient_errors_total", "service"))],
        ),
        Panel(
            "Stopped",
            "1: a service would give up too much, keeps it, and waits for a person.",
            [Query("max by (service) (resight_stage_dead_letters_stopped)")],
            red=1,
        ),
        Panel(
            "Memory",
            "Resident, all replicas of a service together; decode workers not counted.",
            [Query(_of_process("process_resident_memory_bytes"))],
            "bytes",
            width=12,
        ),
        Panel(
            "Cores in use",
            "All replicas of a service together; decode workers not counted.",
            [Query(_of_process(f"rate(process_cpu_seconds_total[{WINDOW}])"))],
            width=12,
        ),
    ],
)

LETTERS = Row(
    "Given up",
    [
        Panel(
            "Dead letters by reason",
            "Each is work for a person: `resight dead-letters list`.",
            [
                Query(
                    _lately("resight_stage_dead_letters_total", "service, kind") + " > 0",
                    "{{service}}: {{kind}}",
                )
            ],
            width=12,
        ),
        Panel(
            "Pictures refused by reason",
            "Of the dead letters those that are the picture's or its headers' fault.",
            [
                Query(
                    _lately("resight_embedder_pictures_refused_total", "kind") + " > 0", "{{kind}}"
                )
            ],
            width=6,
        ),
        Panel(
            "Decode workers ended",
            "Pictures that took too much time or memory, or broke the decoder.",
            [Query(_lately("resight_embedder_decode_workers_ended_total", "job"), "workers")],
            width=6,
        ),
    ],
)

BROKER = Row(
    "Broker and ledger",
    [
        Panel(
            "Rebalances",
            "Many in a row: members come and go, or batches take too long.",
            [Query(_lately("resight_stage_rebalances_total", "service"))],
        ),
        Panel(
            "Stalls",
            "Clients that stopped fetching and were built anew.",
            [Query(_lately("resight_stage_stalls_total", "service"))],
        ),
        Panel(
            "Readings of the lag that failed",
            "Lookup does not hold sightings back meanwhile.",
            [Query(_lately("resight_lookup_pacing_failures_total", "job"), "failures")],
        ),
        Panel(
            "Not published",
            "Entries of the ledger that the broker is not known to have, and those that it never "
            "takes.",
            [
                Query("max(resight_registry_unpublished_entries)", "waiting"),
                Query("max(resight_registry_unpublishable_entries_total)", "too large"),
                Query("max(resight_registry_republished_entries_total)", "published again"),
            ],
        ),
        Panel(
            "Gallery",
            "Empty answers of a gallery that is not empty; galleries with a gap; candidates that "
            "the ledger does not know.",
            [
                Query(_lately("resight_lookup_empty_answers_total", "job"), "empty answers"),
                Query("max(resight_lookup_gaps)", "gaps"),
                Query(_lately("resight_registry_unknown_candidates_total", "job"), "unknown"),
            ],
        ),
        Panel(
            "Enrolments made searchable",
            "By lookup, from the ledger.",
            [Query(rate("resight_lookup_enrolments_total"), "enrolments")],
            "reqps",
        ),
    ],
)

CACHE = Row(
    "Keypoint cache",
    [
        Panel(
            "Keypoints by source",
            "computed costs a fifth of a second of a core each, cache and local next to nothing.",
            [Query(rate("resight_matcher_keypoints_total", "source"), "{{source}}")],
            "reqps",
            "areas",
        ),
        Panel(
            "Hits",
            "Share of the keypoints that need not be computed.",
            [
                Query(
                    share(
                        'resight_matcher_keypoints_total{source!="computed"}',
                        "resight_matcher_keypoints_total",
                    ),
                    "hits",
                )
            ],
            "percentunit",
        ),
        Panel(
            "Failures",
            "The cache is left alone for a while after each; work goes on without it, slowly.",
            [
                Query(_lately("resight_matcher_cache_failures_total", "kind"), "{{kind}}"),
                Query("max(resight_matcher_cache_left_alone)", "left alone"),
            ],
            red=1,
        ),
    ],
)

BOARD = Board(
    "resight-health",
    "Resight: health",
    "What is broken, given up, or about to be.",
    [SERVICES, LETTERS, BROKER, CACHE],
)
