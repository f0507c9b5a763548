"""`resight calibrate`: labelled pictures into the file by which the registry decides."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resight.console import CommandError, DataDir, FromLedger, Individuals, LedgerUrl, results
from resight.ledger_tools.confident_individuals import confident_photographs
from resight.stack.state import DEFAULT_FOLDER
from services.registry.calibration.linkage import GROWN, YOUNG
from shared.identifiers import slug

if TYPE_CHECKING:
    from recognition.calibration.queries import CalibrationQuery
    from recognition.calibration.thresholds import RiskLevels
    from recognition.data.labelled_stream import LabelledSighting
    from services.registry.calibration.calibration import Curve

# Other animals than any demo draws: its seeds are small numbers.
DRAWN_SEED = 1000
DRAWN_SIGHTINGS = 6.0


def calibrate(
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER…", help="Labelled pictures: folders with a metadata.csv each."
        ),
    ] = None,
    *,
    from_ledger: FromLedger = False,
    individuals: Individuals = "all",
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    output: Annotated[Path, typer.Option(help="The file to write.")],
    model: Annotated[Path, typer.Option(help="The encoder's ONNX file, see `resight export`.")],
    name: Annotated[str, typer.Option(help="What decisions call this calibration.")] = "own",
    drawn: Annotated[int, typer.Option(min=0, help="Draw so many animals and take them too.")] = 0,
    split: Annotated[
        str | None,
        typer.Option(help="Where metadata.csv has a column `split`: only rows with this value."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Pictures of a folder at most.")] = None,
    max_false_known: Annotated[
        float,
        typer.Option(
            min=0.0001,
            max=0.9999,
            help="Accepted share of new animals called known, and of known ones named wrong.",
        ),
    ] = 0.02,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="How sure that must be.")
    ] = 0.95,
    max_false_new: Annotated[
        float, typer.Option(min=0, max=1, help="Accepted share of known animals called new.")
    ] = 0.3,
    check: Annotated[
        int,
        typer.Option(
            min=0,
            help="Try the promise so often: thresholds from one half of the individuals, errors "
            "on the other.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Order in which the pictures arrive.")] = 0,
    cache: Annotated[Path, typer.Option(help="Keeps the evidence.")] = Path("out/cache"),
) -> None:
    """Fit evidence to probability, and find the thresholds for known, new and review.

    The pictures go one by one through the services' own code, each compared with
    those before it, and once more as if its animal had never been seen. You say which
    error you accept; the thresholds keep it, or you are told how many more animals
    that takes. A species with enough sightings gets a curve of its own; all together
    give the pooled one, for any other species: its thresholds are those that keep your
    error on each folder's animals when it is fitted on the other folders alone.

    With --from-ledger a gallery gets its own curve from the individuals that are certain: those of
    whom people have spoken, and those without serious doubt.

    How sightings in doubt are put together is learnt from all folders together, so as to serve
    species that are in none of them.
    """
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration import file  # noqa: PLC0415
    from recognition.calibration.thresholds import RiskLevels  # noqa: PLC0415
    from recognition.data.labelled_stream import labelled_sightings  # noqa: PLC0415
    from recognition.synthetic.dataset import draw  # noqa: PLC0415
    from resight.evidence_cache import labelled_photographs, matched_sightings, ordered  # noqa: PLC0415

    seen: dict[str, list[LabelledSighting]] = {}
    sets: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as studio, tempfile.TemporaryDirectory() as crops:
        folders = list(data or [])
        if drawn:
            draw(Path(studio), individuals=drawn, sightings=DRAWN_SIGHTINGS, seed=DRAWN_SEED + seed)
            folders.append(Path(studio))
        found = {str(folder): labelled_photographs(folder, split) for folder in folders}
        if from_ledger:
            found["ledger"] = confident_photographs(ledger_url, data_dir, Path(crops), individuals)
        for source, photographs in found.items():
            chosen = ordered(photographs, "shuffle", seed)[:limit]
            for labelled, arrival in labelled_sightings(matched_sightings(chosen, model, cache)):
                species = slug(labelled.capture.species)
                seen.setdefault(species, []).append(arrival)
                sets.setdefault(species, source)
    if not seen:
        raise CommandError(
            "no labelled pictures: name folders with a metadata.csv, --from-ledger, or --drawn N"
        )
    risk_levels = RiskLevels(max_false_known, max_false_new, confidence)
    fitted = file.calibrate(seen, risk_levels, name, datetime.now(UTC).date().isoformat(), sets)
    file.write(fitted.calibration, output)
    pooled = fitted.calibration.pooled
    results.print(f"wrote {output}: {pooled.queries} sightings of {pooled.fitted_on}")
    for species, curve in {"pooled": pooled, **fitted.calibration.species}.items():
        results.print(f"  {species}: {_cut(curve)}")
    if clustering := fitted.calibration.clustering:
        never = f"; never {', '.join(clustering.never)}" if clustering.never else ""
        join = [clustering.linkage.at(count).join for count in (YOUNG, GROWN)]
        results.print(
            f"  in doubt joined from {join[0]:.2f} in log-odds while a gallery is young, from "
            f"{join[1]:.2f} later{never}"
        )
    for species, reason in fitted.shared.items():
        results.print(f"  {species} has no promise of its own: {reason}")
    if check:
        _check(fitted.queries, risk_levels, check, seed)


def _cut(curve: "Curve") -> str:
    """Return a curve's thresholds and what they rest on, as a line."""
    new = f"new below {curve.new:.3f}"
    if curve.known == 1:
        return f"nothing is called known, the evidence supports no threshold; {new}"
    if curve.guarantee is None:
        return f"known from {curve.known:.3f}, {new}"
    return (
        f"known from {curve.known:.3f}, {new}; of new animals at most {curve.guarantee.bound:.3f} "
        f"are called known (confidence {curve.guarantee.confidence:g}, one picture of each of "
        f"{curve.guarantee.individuals} individuals, {', '.join(curve.guarantee.species)})"
    )


def _check(
    queries: "Mapping[str, Sequence[CalibrationQuery]]",
    risk_levels: "RiskLevels",
    count: int,
    seed: int,
) -> None:
    """Print in how many repetitions each promise was kept."""
    from recognition.calibration.bound import CalibrationError  # noqa: PLC0415
    from recognition.calibration.holdout_check import check_holdout  # noqa: PLC0415

    for species, asked in queries.items():
        try:
            found = check_holdout(asked, risk_levels, count, seed)
        except CalibrationError as error:
            results.print(f"  {species}: half of the individuals can't be checked: {error}")
        else:
            results.print(
                f"  {species}: the promise held in {found.kept} of {count} repetitions; "
                f"false known {sum(found.rates) / count:.4f} on average, "
                f"{max(found.rates):.4f} at worst"
            )
