"""The numbers of an evaluation, and the calibration behind them, on evidence made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from recognition.calibration.bound import CalibrationError
from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.fitting import fitted, sample
from recognition.evaluation.gallery_session import EmbeddedSighting, QueryResult
from recognition.evaluation.report import report
from services.registry.calibration.calibration import Calibration
from shared.messages import DEPTH_NEIGHBOURS, Candidate, Evidence, Matches, Sighting

PICTURES = 4


def _asked(
    individual: int, among: Sequence[int], rng: np.random.Generator, species: str = "lion"
) -> QueryResult:
    """Ask a query about an individual of a gallery with four pictures of each of `among`."""
    members, evidence = {}, []
    for other in among:
        for picture in range(PICTURES):
            name = f"{other}-{picture}"
            same = other == individual
            score = float(rng.normal(6.0 if same else 2.0, 1.0))
            candidate = Candidate(sighting_id=name, cosine=float(rng.uniform(0.3, 0.5)))
            members[name] = str(other)
            evidence.append(
                Evidence(
                    candidate=candidate,
                    depth=DEPTH_NEIGHBOURS,
                    neighbours=3,
                    neighbour_score=max(0.0, score),
                )
            )
    known = individual in among
    subject = EmbeddedSighting(
        Sighting(sighting_id="q", gallery=f"default/{species}"), str(individual)
    )
    labelled = LabelledSighting(str(individual), known, tuple(evidence), members)
    return QueryResult(subject, Matches(), labelled, PICTURES if known else 0)


def _queries(individuals: Sequence[int], among: Sequence[int], seed: int) -> list[QueryResult]:
    rng = np.random.default_rng(seed)
    return [_asked(each, among, rng) for each in individuals]


GALLERY = range(40)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    """Fitted on two queries about each individual of the gallery."""
    return fitted(_queries([*GALLERY, *GALLERY], GALLERY, 0), 0.02)


def test_known_queries_give_a_row_for_each_pipeline_and_no_open_set(
    calibration: Calibration,
) -> None:
    found = report(_queries(GALLERY, GALLERY, 1), 160, calibration, seed=0)
    rows = {row.pipeline: row for row in found.rows}
    assert list(rows) == ["embedding", "neighbours", "local", "count", "fusion"]
    assert rows["local"].r1 > 0.9
    assert rows["embedding"].r1 < 0.2
    assert rows["fusion"].r1 > 0.9
    low, high = rows["fusion"].r1_interval
    assert low <= rows["fusion"].r1 <= high
    assert rows["local"].r1 <= rows["local"].r5 <= rows["local"].r20
    assert (found.queries, found.known, found.gallery) == (40, 40, 160)
    assert found.shortlist_recall == 1.0
    assert found.as_dict()["open_set"] is None


def test_new_animals_among_the_queries_give_an_open_set(calibration: Calibration) -> None:
    found = report(_queries([*GALLERY, *range(100, 130)], GALLERY, 1), 160, calibration, seed=0)
    assert found.open_set is not None
    assert found.open_set.auroc > 0.8
    assert found.open_set.false_known_rate <= found.open_set.false_known_bound
    assert set(found.as_dict()["open_set"]["dir_at_fpir"]) == {"0.01", "0.1"}
    # The rows are about the known ones.
    assert found.known == 40
    assert len(found.places["fusion"]) == 40


def test_without_known_queries_there_are_no_rows(calibration: Calibration) -> None:
    found = report(_queries([100, 101], GALLERY, 1), 160, calibration, seed=0)
    assert found.rows == ()
    assert found.shortlist_recall is None
    assert found.open_set is None


def test_a_gallery_too_small_for_the_error_accepts_the_least_that_it_can_promise(
    calibration: Calibration,
) -> None:
    guarantee = calibration.pooled.guarantee
    assert guarantee is not None
    fewest = min(guarantee.individuals, guarantee.known_individuals)
    # (1 - error) ** individuals = 1 - confidence
    assert guarantee.false_known == pytest.approx(1 - 0.05 ** (1 / fewest), rel=1e-4)
    assert guarantee.bound <= guarantee.false_known


def test_species_with_enough_pictures_have_a_curve_of_their_own() -> None:
    rng = np.random.default_rng(0)
    lions = [_asked(each % 40, GALLERY, rng, "lion") for each in range(100)]
    zebras = [_asked(each % 40, GALLERY, rng, "zebra") for each in range(30)]
    calibration = fitted([*lions, *zebras], 0.02)
    assert set(calibration.species) == {"lion"}


def test_a_gallery_without_a_second_picture_of_anybody_is_refused() -> None:
    lone = _queries([100, 101, 102], GALLERY, 0)
    with pytest.raises(CalibrationError, match=r"the gallery's 3 pictures of lion.*--calibration"):
        fitted(lone, 0.02)


def test_the_sample_is_drawn_by_its_seed() -> None:
    subjects = [EmbeddedSighting(Sighting(sighting_id=str(each)), "leo") for each in range(50)]
    assert sample(subjects, 10, 1) == sample(subjects, 10, 1) != sample(subjects, 10, 2)
    assert len(sample(subjects, 10, 1)) == 10
    assert len(sample(subjects, 80, 1)) == 50
