"""Dashboard: faults, dead letters, and resources."""

from deploy.grafana.panels import WINDOW, Board, Panel, Query, Row, rate, share


def _lately(counter: str, by: str) -> str:
    return f"sum by ({by}) (increase({counter}[{WINDOW}]))"


def _of_process(metric: str) -> str:
    # The Python client's process metrics do not name the service.
    named = "group by (job, instance, service) (resight_stage_ready)"
    return f"sum by (service) ({metric} * on (job, instance) group_left (service) {named})"


SERVICES = Row(
    "Services",
    [
        Panel(
            "Ready replicas",
            "0 for a service: nothing is processed. /readyz says why.",
            [Query("sum by (service) (resight_stage_ready)")],
        ),
        Panel(
            "Failed attempts",
            "A dependency is unavailable, and the service retries; its log names it.",
            [Query(_lately("resight_stage_transient_errors_total", "service"))],
        ),
        Panel(
            "Stopped",
            "1: a service stopped because too many messages would be dead-lettered, and needs an "
            "operator.",
            [Query("max by (service) (resight_stage_dead_letters_stopped)")],
            red=1,
        ),
        Panel(
            "Memory",
            "Resident memory of all replicas of a service; without decode workers.",
            [Query(_of_process("process_resident_memory_bytes"))],
            "bytes",
            width=12,
        ),
        Panel(
            "CPU cores used",
            "All replicas of a service; without decode workers.",
            [Query(_of_process(f"rate(process_cpu_seconds_total[{WINDOW}])"))],
            width=12,
        ),
    ],
)

LETTERS = Row(
    "Dead letters",
    [
        Panel(
            "Dead letters by reason",
            "Each needs attention: `resight dead-letters list`.",
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
            "Dead letters caused by the picture or its headers.",
            [
                Query(
                    _lately("resight_embedder_pictures_refused_total", "kind") + " > 0", "{{kind}}"
                )
            ],
            width=6,
        ),
        Panel(
            "Decode workers ended",
            "Pictures that took too much time or memory, or crashed the decoder.",
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
            "Many in a row: members restart, or batches take too long.",
            [Query(_lately("resight_stage_rebalances_total", "service"))],
        ),
        Panel(
            "Stalls",
            "Kafka clients recreated because they stopped fetching.",
            [Query(_lately("resight_stage_stalls_total", "service"))],
        ),
        Panel(
            "Failed readings of the lag",
            "Lookup does not hold sightings back meanwhile.",
            [Query(_lately("resight_lookup_pacing_failures_total", "job"), "failures")],
        ),
        Panel(
            "Not published",
            "Ledger entries not known to be published, and those too large to publish.",
            [
                Query("max(resight_registry_unpublished_entries)", "waiting"),
                Query("max(resight_registry_unpublishable_entries_total)", "too large"),
                Query("max(resight_registry_republished_entries_total)", "published again"),
            ],
        ),
        Panel(
            "Gallery",
            "Empty results from a non-empty gallery; galleries with a gap; candidates unknown to "
            "the ledger.",
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
            "store: one read each; computed: 0.1 s of a core each; others: next to nothing.",
            [Query(rate("resight_matcher_keypoints_total", "source"), "{{source}}")],
            "reqps",
            "areas",
        ),
        Panel(
            "Hits",
            "Share of keypoints that were cached.",
            [
                Query(
                    share(
                        'resight_matcher_keypoints_total{source=~"local|cache"}',
                        "resight_matcher_keypoints_total",
                    ),
                    "hits",
                )
            ],
            "percentunit",
        ),
        Panel(
            "Failures",
            "The cache is skipped for a while after each failure; work continues more slowly.",
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
    "Faults, dead letters, and resources.",
    [SERVICES, LETTERS, BROKER, CACHE],
)
