"""How well a calibration serves a species that it has not seen: leave one set out, in turn.

Every data set in a folder, and one of drawn animals, is replayed as a stream with a calibration of
all the others. Nothing is chosen by the set that it is tested on.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from recognition.arrivals import Arrival, Seen, arrivals
from recognition.calibration import file
from recognition.calibration.thresholds import Accepted
from recognition.catalogue import METADATA
from recognition.drawn.dataset import draw
from recognition.evaluation.encoders import model_file
from resight.console import note, results
from resight.observing import labelled_photographs, observed, ordered
from resight.replaying import as_json, replayed
from shared.identifiers import slug

DRAWN = "drawn animals"
# Other animals than a demo or the default calibration draws.
INDIVIDUALS, SIGHTINGS, SEED = 110, 6.0, 2000
# So many questions are answered for each 100 sightings.
ANSWERS = 10
# What the default calibration accepts, but for new animals called known, which is an option.
FALSE_NEW, CONFIDENCE = 0.3, 0.95


def transfer(sets: Mapping[str, Sequence[Seen]], name: str, false_known: float) -> dict[str, Any]:
    """Replay one set with a calibration of all the others; return the score as JSON has it."""
    seen: dict[str, list[Arrival]] = {}
    belongs: dict[str, str] = {}
    for other, sightings in sets.items():
        if other == name:
            continue
        for labelled, arrival in arrivals(sightings):
            species = slug(labelled.capture.species)
            seen.setdefault(species, []).append(arrival)
            belongs[species] = other
    accepted = Accepted(false_known, FALSE_NEW, CONFIDENCE)
    calibrated = file.calibrate(seen, accepted, f"without {name}", "bench", belongs)
    answers = len(sets[name]) * ANSWERS // 100
    found = as_json(replayed(sets[name], calibrated.calibration, answers))
    clustering = calibrated.calibration.clustering
    return {
        **found,
        "known_from": round(calibrated.calibration.pooled.known, 4),
        "joined_from": None if clustering is None else clustering.linkage.join,
        "joined_young_from": None if clustering is None else clustering.linkage.join_young,
    }


def main() -> None:
    """Read the data sets, replay each, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of data sets.")
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    parser.add_argument("--limit", type=int, help="Only the first so many pictures of each set.")
    parser.add_argument("--seed", type=int, default=0, help="Order in which pictures arrive.")
    parser.add_argument(
        "--max-false-known",
        type=float,
        default=0.02,
        help="Accepted share of new animals called known; fewer animals support no smaller one.",
    )
    parser.add_argument("--only", help="Replay this set alone.")
    parser.add_argument("--cache", type=Path, default=Path("out/cache"), help="Keeps evidence.")
    task = parser.parse_args()
    model = model_file("efficientnet_lite0", task.cache / "models")
    sets: dict[str, list[Seen]] = {}
    for folder in sorted(each.parent for each in task.data.glob(f"*/{METADATA}")):
        note(f"comparing the pictures of {folder.name}")
        photographs = ordered(labelled_photographs(folder), "shuffle", task.seed)[: task.limit]
        sets[folder.name] = list(observed(photographs, model, task.cache))
    with tempfile.TemporaryDirectory() as studio:
        note("drawing animals and comparing them")
        draw(Path(studio), individuals=INDIVIDUALS, sightings=SIGHTINGS, seed=SEED)
        photographs = ordered(labelled_photographs(Path(studio)), "shuffle", task.seed)
        sets[DRAWN] = list(observed(photographs[: task.limit], model, task.cache))
    if task.only is not None and task.only not in sets:
        raise SystemExit(f"there is no set {task.only!r}; there are {', '.join(sets)}")
    chosen = sets if task.only is None else [task.only]
    found = {name: transfer(sets, name, task.max_false_known) for name in chosen}
    results.print(_table(found))
    if task.json is not None:
        task.json.write_text(json.dumps({"sets": found}, indent=2) + "\n")


def _table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = {
        "n": "sightings",
        "P": "precision",
        "R": "recall",
        "F1": "f1",
        "ARI": "ari",
        "false": "false_known",
        "asks": "questions_per_100",
        "IDs": "individuals",
        "true": "individuals_true",
        "F1 then": "f1_after_answers",
    }
    table = Table(
        "left out",
        *columns,
        title="by a calibration of the other sets",
        caption="false: new animals called known. asks: questions for each 100 sightings.\n"
        f"F1 then: after {ANSWERS} answers for each 100",
    )
    for name, numbers in found.items():
        table.add_row(name, *(_cell(numbers.get(column)) for column in columns.values()))
    return table


def _cell(value: float | None) -> str:
    if isinstance(value, float) and value > 1:
        return f"{value:.1f}"
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
