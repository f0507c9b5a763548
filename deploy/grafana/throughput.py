"""Dashboard: throughput, latency and backlogs."""

from deploy.grafana.panels import Board, Panel, Query, Row, mean, percentiles, quantile, rate

_US = 1e6

FLOW = Row(
    "Flow",
    [
        Panel(
            "Captures in, decisions out",
            "A capture with several animals gives several decisions, a refused one none.",
            [
                Query(rate("resight_embedder_captures_total"), "captures"),
                Query(rate("resight_registry_decisions_total"), "decisions"),
            ],
            "reqps",
        ),
        Panel(
            "Into each stage",
            "Messages handled and committed. Scale the stage after the one that is far below its "
            "neighbours.",
            [Query(rate("resight_stage_messages_consumed_total", "service"))],
            "reqps",
        ),
        Panel(
            "Out of each stage",
            "Messages acknowledged by the broker, including enrolments and later passes.",
            [Query(rate("resight_stage_messages_produced_total", "service"))],
            "reqps",
        ),
        Panel(
            "Waiting",
            "Messages not consumed yet; KEDA scales on this.",
            [Query("sum by (service, topic) (resight_stage_lag_messages)", "{{topic}}")],
            form="areas",
        ),
        Panel(
            "Lists without a decision",
            "Lists sent by lookup without a decision. Sightings are held back at "
            "RESIGHT_LOOKUP_MAX_UNDECIDED.",
            [Query("sum(resight_lookup_undecided)", "lists")],
        ),
        Panel(
            "In progress",
            "Bytes of the messages in each service's memory.",
            [Query("sum by (service) (resight_stage_in_flight_bytes)")],
            "bytes",
        ),
    ],
)

LATENCY = Row(
    "Latency",
    [
        Panel(
            "From capture to decision",
            "From a capture's publication to the decision about its sighting. Objective: 99 % "
            "within five minutes.",
            percentiles("resight_registry_capture_to_decision_seconds"),
            "s",
            red=300,
        ),
        Panel(
            "Decided within five minutes",
            "Share of the last hour's decisions; the objective is 0.99.",
            [Query("resight:decided_in_time:ratio_rate1h", "share")],
            "percentunit",
            "number",
            width=4,
        ),
        Panel(
            "Wait on the topic, p95",
            "Time until the service consumed a message.",
            [Query(quantile(0.95, "resight_stage_wait_seconds", "service"))],
            "s",
            width=6,
        ),
        Panel(
            "From poll to commit, p95",
            "Time of a batch in one service, including waits for dependencies.",
            [Query(quantile(0.95, "resight_stage_batch_seconds", "service"))],
            "s",
            width=6,
        ),
    ],
)

STEPS = Row(
    "Steps",
    [
        Panel(
            "Embedder, p95",
            "Decode and crop, segment the animal, encode a batch.",
            [
                Query(quantile(0.95, "resight_embedder_decode_seconds"), "decode"),
                Query(quantile(0.95, "resight_embedder_segmentation_seconds"), "segmentation"),
                Query(quantile(0.95, "resight_embedder_extraction_seconds"), "keypoints"),
                Query(quantile(0.95, "resight_embedder_inference_seconds"), "inference"),
            ],
            "s",
        ),
        Panel(
            "Lookup, p95",
            "All searches of one batch.",
            [Query(quantile(0.95, "resight_lookup_search_seconds"), "search")],
            "s",
        ),
        Panel(
            "Matcher, p95",
            "Keypoints of one crop; one list of candidates with its query.",
            [
                Query(quantile(0.95, "resight_matcher_extraction_seconds"), "extraction"),
                Query(quantile(0.95, "resight_matcher_comparison_seconds"), "comparison"),
            ],
            "s",
        ),
        Panel(
            "Handlers, p95",
            "A batch's handling time; in the registry including the ledger.",
            [Query(quantile(0.95, "resight_stage_handle_seconds", "service"))],
            "s",
        ),
        Panel(
            "Crops in a batch",
            "In the encoder; larger batches use a GPU better.",
            [Query(mean("resight_embedder_inference_crops"), "crops")],
        ),
        Panel(
            "Size of a picture",
            "As received.",
            percentiles("resight_embedder_picture_bytes"),
            "bytes",
        ),
    ],
)


def _triton(part: str) -> str:
    requests = rate("nv_inference_request_success")
    return f"{rate(f'nv_inference_{part}_duration_us')} / ({requests} > 0) / {_US:g}"


TRITON = Row(
    "GPU and Triton",
    [
        Panel(
            "Time of a request",
            "Triton's time per request. It scales on the queue.",
            [
                Query(_triton("queue"), "queue"),
                Query(_triton("compute_infer"), "model"),
                Query(_triton("compute_input"), "input"),
            ],
            "s",
            beside="triton",
        ),
        Panel(
            "Requests",
            "Including those refused by a full queue; the embedder retries.",
            [
                Query(rate("nv_inference_request_success"), "answered"),
                Query(rate("nv_inference_request_failure"), "failed"),
            ],
            "reqps",
            beside="triton",
        ),
        Panel(
            "Crops in one run of the model",
            "Requests combined by dynamic batching.",
            [
                Query(
                    f"{rate('nv_inference_count')} / ({rate('nv_inference_exec_count')} > 0)",
                    "crops",
                )
            ],
            beside="triton",
        ),
        Panel(
            "GPU in use",
            "Low with a full queue: use larger batches, or more instances.",
            [Query("max by (gpu_uuid) (nv_gpu_utilization)", "{{gpu_uuid}}")],
            "percentunit",
            width=12,
            beside="gpu",
        ),
        Panel(
            "GPU memory",
            "Of Triton and everything else on that GPU.",
            [Query("max by (gpu_uuid) (nv_gpu_memory_used_bytes)", "{{gpu_uuid}}")],
            "bytes",
            width=12,
            beside="gpu",
        ),
    ],
)

BOARD = Board(
    "resight-throughput",
    "Resight: throughput",
    "Throughput, latency and backlogs.",
    [FLOW, LATENCY, STEPS, TRITON],
)
