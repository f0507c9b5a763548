"""Calibration from labelled pictures, by the code that serves; see docs/science.md."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catalogue.reading.catalogue import Photograph
from recognition.calibration import file
from recognition.calibration.bound import RiskLevels
from recognition.calibration.file import Calibrated
from recognition.data.labelled_folder import DataSetError, labelled_photographs, ordered
from recognition.data.labelled_stream import LabelledSighting, labelled_sightings
from recognition.replay.evidence_cache import matched_sightings
from recognition.synthetic.dataset import draw
from services.registry.calibration.calibration import Calibration
from shared.identifiers import slug
from shared.progress import LOGGED, Progress

# Synthetic animals other than the demo's, whose seeds are small numbers.
SYNTHETIC_SEED = 1000
SYNTHETIC_SIGHTINGS = 6.0


@dataclass(frozen=True)
class CalibrationOptions:
    """How to calibrate; the defaults are those of `resight calibrate`.

    risk_levels: accepted error rates, and their confidence
    name: of the calibration, shown in decisions
    synthetic: number of synthetic animals to add
    split: only rows whose column `split` has this value
    limit: maximum pictures per data set
    seed: of the arrival order
    cache: folder for evidence
    """

    risk_levels: RiskLevels = field(default_factory=RiskLevels)
    name: str = "own"
    synthetic: int = 0
    split: str | None = None
    limit: int | None = None
    seed: int = 0
    cache: Path = Path("out/cache")


def calibrate(
    data: Sequence[str | Path],
    model: str | Path,
    options: CalibrationOptions = CalibrationOptions(),
    progress: Progress = LOGGED,
) -> Calibration:
    """Return a calibration fitted on the labelled pictures of some folders.

    Args:
        data: folders with a metadata.csv each.
        model: the encoder's ONNX file, see `resight export`.

    Raises:
        DataSetError: there are no pictures, or one has no identity.
        CalibrationError: there are too few animals for the accepted error rates.
    """
    return calibrate_data_sets(
        list(map(Path, data)), {}, Path(model), options, progress
    ).calibration


def calibrate_data_sets(
    folders: Sequence[Path],
    others: Mapping[str, Sequence[Photograph]],
    model: Path,
    options: CalibrationOptions,
    progress: Progress = LOGGED,
) -> Calibrated:
    """Return a calibration with its queries; see `calibrate`.

    `others` are labelled pictures outside folders, by source.
    """
    with tempfile.TemporaryDirectory() as studio:
        named = list(folders)
        if options.synthetic:
            draw(
                Path(studio),
                individuals=options.synthetic,
                sightings=SYNTHETIC_SIGHTINGS,
                seed=SYNTHETIC_SEED + options.seed,
            )
            named.append(Path(studio))
        found: dict[str, Sequence[Photograph]] = {
            str(folder): labelled_photographs(folder, options.split, None, progress)
            for folder in named
        }
        return _fitted({**found, **others}, model, options, progress)


def _fitted(
    found: Mapping[str, Sequence[Photograph]],
    model: Path,
    options: CalibrationOptions,
    progress: Progress,
) -> Calibrated:
    seen: dict[str, list[LabelledSighting]] = {}
    sets: dict[str, str] = {}
    for source, photographs in found.items():
        chosen = ordered(photographs, "shuffle", options.seed)[: options.limit]
        matched = matched_sightings(chosen, model, options.cache, progress)
        for capture, labelled in labelled_sightings(matched):
            species = slug(capture.capture.species)
            seen.setdefault(species, []).append(labelled)
            sets.setdefault(species, source)
    if not seen:
        raise DataSetError("there are no labelled pictures to calibrate on")
    version = datetime.now(UTC).date().isoformat()
    return file.calibrate(seen, options.risk_levels, options.name, version, sets)
