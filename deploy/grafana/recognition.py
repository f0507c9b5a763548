"""Dashboard: decisions, their probabilities, and open questions."""

from deploy.grafana.panels import WINDOW, Board, Panel, Query, Row, mean, rate

DECISIONS = Row(
    "Decisions",
    [
        Panel(
            "Decisions by outcome",
            "known: an existing individual; new: a new individual; review: uncertain, with an "
            "open question; unidentifiable: cannot be compared.",
            [Query(rate("resight_registry_decisions_total", "outcome"), "{{outcome}}")],
            "reqps",
            "areas",
            width=12,
        ),
        Panel(
            "Share of each outcome",
            "Of recent decisions. More review than usual: see drift.",
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
            "Two distinct groups, low and high, are good evidence; values in the middle go to "
            "review.",
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
            "Sightings with evidence of models that the calibration was not fitted on; none is "
            "called known.",
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
            "Current number in the ledger.",
            [Query("max(resight_registry_individuals)", "individuals")],
            form="number",
            width=4,
        ),
        Panel(
            "Enrolled sightings",
            "Current number in the ledger.",
            [Query("max(resight_registry_enrolments)", "enrolments")],
            form="number",
            width=4,
        ),
        Panel(
            "Galleries",
            "One per species and population; a misspelt species makes another.",
            [Query("max(resight_registry_galleries)", "galleries")],
            form="number",
            width=4,
        ),
        Panel(
            "Questions",
            "Pairs of individuals that may be one. `resight individuals questions` lists the most "
            "valuable first.",
            [Query("max(resight_registry_questions_open)", "open")],
            width=6,
        ),
        Panel(
            "Discovered, merged, split",
            "Changes of individuals made by decisions.",
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
            "By the embedder. Only `used` masks exclude the surroundings.",
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
            "0 for the first sighting of a gallery; otherwise up to 100.",
            [Query(mean("resight_lookup_candidates"), "candidates")],
        ),
        Panel(
            "Keypoints of the background",
            "Also seen by the camera without the animal, so not counted.",
            [Query(rate("resight_matcher_background_keypoints_total"), "keypoints")],
            "reqps",
        ),
        Panel(
            "Passes until a decision",
            "Above 1: others were enrolled meanwhile.",
            [Query(mean("resight_registry_passes"), "passes")],
        ),
        Panel(
            "New individuals that had to wait",
            "ahead: the gallery does not belong to this ledger.",
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
            "Two at once: a roll-out is in progress; their embeddings are never compared.",
            [
                Query(
                    "count by (name, version, preprocessing) (resight_embedder_model_info)",
                    "{{name}} {{version}} {{preprocessing}}",
                )
            ],
        ),
        Panel(
            "Extractor and matcher",
            "Replicas running each.",
            [
                Query(
                    "count by (role, name, version) (resight_matcher_model_info)",
                    "{{role}}: {{name}} {{version}}",
                )
            ],
        ),
        Panel(
            "Calibration",
            "Replicas using each.",
            [Query("count by (title) (resight_registry_calibration_info)", "{{title}}")],
        ),
    ],
)

BOARD = Board(
    "resight-recognition",
    "Resight: recognition",
    "Decisions, their probabilities, and open questions.",
    [DECISIONS, INDIVIDUALS, EVIDENCE, MODELS],
)
