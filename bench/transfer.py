"""How well a calibration transfers to an unseen species: each set is left out in turn.

Every data set in a folder, and one of synthetic animals, is replayed as a stream with a calibration
of all the others. Nothing is chosen by the set that it is tested on.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from bench.self_adaptation import self_adaptation
from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import METADATA
from recognition.calibration import file
from recognition.calibration.bound import RiskLevels
from recognition.data.labelled_folder import labelled_photographs, ordered
from recognition.data.labelled_stream import LabelledSighting, MatchedSighting, labelled_sightings
from recognition.evaluation.encoders import model_file
from recognition.replay.evidence_cache import matched_sightings
from recognition.replay.session import as_json, replay_stream
from recognition.synthetic.dataset import draw
from resight.console import note, results
from services.registry.calibration.calibration import Calibration
from shared.identifiers import slug

DRAWN = "drawn animals"
# Other animals than the demo and the default calibration draw.
INDIVIDUALS, SIGHTINGS, SEED = 110, 6.0, 2000
# Questions answered per 100 sightings.
ANSWERS = 10


def without(
    sets: Mapping[str, Sequence[MatchedSighting]], name: str, false_known: float
) -> Calibration:
    """Return a calibration of all sets but one."""
    seen: dict[str, list[LabelledSighting]] = {}
    belongs: dict[str, str] = {}
    for other, sightings in sets.items():
        if other == name:
            continue
        for labelled, arrival in labelled_sightings(sightings):
            species = slug(labelled.capture.species)
            seen.setdefault(species, []).append(arrival)
            belongs[species] = other
    accepted = RiskLevels(false_known=false_known)
    return file.calibrate(seen, accepted, f"without {name}", "bench", belongs).calibration


def transfer(seen: Sequence[MatchedSighting], calibration: Calibration) -> dict[str, Any]:
    """Replay a set with a calibration of the others; return the score as JSON has it."""
    found = as_json(replay_stream(seen, calibration, len(seen) * ANSWERS // 100))
    clustering = calibration.clustering
    return {
        **found,
        "known_from": round(calibration.pooled.known, 4),
        "joined_from": None if clustering is None else clustering.linkage.join,
        "joined_young_from": None if clustering is None else clustering.linkage.join_young,
    }


def main() -> None:
    """Read the data sets, replay each, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of data sets.")
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    parser.add_argument("--limit", type=int, help="Only this many pictures of each set.")
    parser.add_argument("--seed", type=int, default=0, help="Order in which pictures arrive.")
    parser.add_argument(
        "--max-false-known",
        type=float,
        default=0.02,
        help="Accepted share of new animals called known; fewer animals support only larger ones.",
    )
    parser.add_argument(
        "--adapt",
        action="store_true",
        help="Also adapt the model to the first half's own clusters, and test it on the second.",
    )
    parser.add_argument("--only", help="Replay only this set.")
    parser.add_argument("--cache", type=Path, default=Path("out/cache"), help="Keeps evidence.")
    task = parser.parse_args()
    model = model_file("efficientnet_lite0", task.cache / "models")
    sets: dict[str, list[MatchedSighting]] = {}
    pictures: dict[str, list[Photograph]] = {}
    for folder in sorted(each.parent for each in task.data.glob(f"*/{METADATA}")):
        note(f"comparing the pictures of {folder.name}")
        photographs = ordered(labelled_photographs(folder), "shuffle", task.seed)[: task.limit]
        sets[folder.name] = list(matched_sightings(photographs, model, task.cache))
        pictures[folder.name] = photographs
    with tempfile.TemporaryDirectory() as studio:
        note("drawing animals and comparing them")
        draw(Path(studio), individuals=INDIVIDUALS, sightings=SIGHTINGS, seed=SEED)
        photographs = ordered(labelled_photographs(Path(studio)), "shuffle", task.seed)
        sets[DRAWN] = list(matched_sightings(photographs[: task.limit], model, task.cache))
    if task.only is not None and task.only not in sets:
        raise SystemExit(f"there is no set {task.only!r}; choose one of {', '.join(sets)}")
    chosen = sets if task.only is None else [task.only]
    found = {}
    for name in chosen:
        note(f"replaying {name} with a calibration of the others")
        calibration = without(sets, name, task.max_false_known)
        found[name] = transfer(sets[name], calibration)
        if task.adapt and name in pictures:
            note(f"adapting the model to the clusters of {name}")
            found[name]["adapted"] = self_adaptation(pictures[name], sets[name], calibration)
    results.print(_table(found))
    if task.adapt:
        results.print(_adapted_table(found))
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
        title="with a calibration of the other sets",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        caption="false: new animals called known. asks: questions per 100 sightings.\nF1 then: "
        "after "
        f"{ANSWERS} answers per 100",
    )
    for name, numbers in found.items():
        table.add_row(name, *(_cell(numbers.get(column)) for column in columns.values()))
    return table


def _adapted_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(
        "adapted to",
        "taught by",
        "taken",
        "R-1 on clusters",
        "R-1 of the second half",
        "gain",
        box=SIMPLE,
    )
    for name, numbers in found.items():
        told = numbers.get("adapted")
        if told is None:
            continue
        cells = (told.get(key) for key in ("believed_r1", "second_half_r1", "second_half_gain"))
        table.add_row(
            name,
            f"{told['taught_by']} of {told['individuals']}",
            "yes" if told["taken"] else "no",
            *("-" if pair is None else f"{pair[0]:.3f}, {pair[1]:.3f}" for pair in cells),
        )
    return table


def _cell(value: float | None) -> str:
    if isinstance(value, float) and value > 1:
        return f"{value:.1f}"
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
