"""What is decided, how sure it is, and what people are asked."""

from deploy.grafana.panels import WINDOW, Board, Panel, Query, Row, mean, rate

DECISIONS = Row(
    "Decisions",
    [
        Panel(
            "Decisions by outcome",
            "known: an individual that was there; new: founded without doubt; review: belongs to "
            "one in doubt, and a question is open; unidentifiable: can't be compared.",
            [Query(rate("resight_registry_decisions_total", "outcome"), "{{outcome}}")],
            "reqps",
            "areas",
            width=12,
        ),
        Panel(
            "Share of each outcome",
            "Of the decisions of the last while. More review than usual: see drift.",
            [
                Query(
                    f"{rate('resight_registry_decisions_total', 'outcome')} / ignoring (outcome) "
                    f"group_left () ({rate('resight_registry_decisions_total')} > 0)",
                    "{{outcome}}",
                )
            ],
            "percentunit",
            width=12,
        ),
        Panel(
            "Probability of the first-ranked individual",
            "Two clear groups, low and high, are good evidence; a heap in the middle goes to "
            "people.",
            [
                Query(
                    f"sum by (le) (increase(resight_registry_probability_bucket[{WINDOW}]))",
                    "{{le}}",
                )
            ],
            "short",
            "heat",
            width=12,
        ),
        Panel(
            "Drift",
            "Population stability index against the calibration. Above 0.25: calibrate again.",
            [Query("max(resight_registry_calibration_drift)", "index")],
            red=0.25,
            width=6,
        ),
        Panel(
            "Evidence of other models",
            "Sightings whose evidence the calibration was not made for; none is called known.",
            [Query(rate("resight_registry_other_models_total", "role"), "{{role}}")],
            "reqps",
            width=6,
        ),
    ],
)

INDIVIDUALS = Row(
    "Individuals",
    [
        Panel(
            "Individuals",
            "In the ledger now.",
            [Query("max(resight_registry_individuals)", "individuals")],
            form="number",
            width=4,
        ),
        Panel(
            "Enrolled sightings",
            "In the ledger now.",
            [Query("max(resight_registry_enrolments)", "enrolments")],
            form="number",
            width=4,
        ),
        Panel(
            "Galleries",
            "One for each species and population. A misspelt species makes one too.",
            [Query("max(resight_registry_galleries)", "galleries")],
            form="number",
            width=4,
        ),
        Panel(
            "Questions",
            "Pairs of individuals that may be one. `resight individuals questions` shows those "
            "first whose answer is worth most.",
            [Query("max(resight_registry_questions_open)", "open")],
            width=6,
        ),
        Panel(
            "Discovered, merged, split",
            "What decisions changed about individuals.",
            [Query(rate("resight_registry_changes_total", "change"), "{{change}}")],
            "reqps",
            width=6,
        ),
    ],
)

EVIDENCE = Row(
    "Evidence",
    [
        Panel(
            "Masks by outcome",
            "Of the embedder. Only `used` ones keep the surroundings out.",
            [Query(rate("resight_embedder_masks_total", "outcome"), "{{outcome}}")],
            "reqps",
            "areas",
        ),
        Panel(
            "Candidates by depth",
            "How far they were compared.",
            [Query(rate("resight_matcher_candidates_total", "depth"), "{{depth}}")],
            "reqps",
            "areas",
        ),
        Panel(
            "Candidates of a list",
            "0 for the first of a gallery; else as many as it has, up to 100.",
            [Query(mean("resight_lookup_candidates"), "candidates")],
        ),
        Panel(
            "Keypoints of the background",
            "Seen by the same camera without the animal, so they do not count.",
            [Query(rate("resight_matcher_background_keypoints_total"), "keypoints")],
            "reqps",
        ),
        Panel(
            "Passes until a decision",
            "More than 1: others were enrolled in between.",
            [Query(mean("resight_registry_passes"), "passes")],
        ),
        Panel(
            "Mints that had to wait",
            "ahead: the gallery is not of this ledger.",
            [Query(rate("resight_registry_mint_refusals_total", "reason"), "{{reason}}")],
            "reqps",
        ),
    ],
)

MODELS = Row(
    "Models in use",
    [
        Panel(
            "Encoder",
            "Two at once: a roll-out is under way, and their embeddings never meet.",
            [
                Query(
                    "count by (name, version, preprocessing) (resight_embedder_model_info)",
                    "{{name}} {{version}} {{preprocessing}}",
                )
            ],
        ),
        Panel(
            "Extractor and matcher",
            "Replicas that run each.",
            [
                Query(
                    "count by (role, name, version) (resight_matcher_model_info)",
                    "{{role}}: {{name}} {{version}}",
                )
            ],
        ),
        Panel(
            "Calibration",
            "Replicas that go by each.",
            [Query("count by (title) (resight_registry_calibration_info)", "{{title}}")],
        ),
    ],
)

BOARD = Board(
    "resight-recognition",
    "Resight: recognition",
    "What is decided, how sure it is, and what people are asked.",
    [DECISIONS, INDIVIDUALS, EVIDENCE, MODELS],
)
