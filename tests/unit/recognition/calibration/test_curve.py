"""Arrivals become a curve, and the curves a file that the registry loads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognition.calibration.bound import CalibrationError, RiskLevels
from recognition.calibration.curve import fit_curve
from recognition.calibration.file import _raised, calibrate, write
from recognition.calibration.individuals import fit_competition
from recognition.calibration.pairs import folds
from recognition.calibration.queries import CalibrationQuery, without_own
from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Model, load
from services.registry.identity.rank import rank
from shared.messages import Evidence
from tests.support.synthetic_stream import made_arrivals

STREAM = made_arrivals(40, 4)
RISK_LEVELS = RiskLevels(0.2, 0.4, 0.9)


def test_without_its_own_pictures_a_sighting_is_one_of_a_new_animal() -> None:
    labelled = next(each for each in STREAM if each.known)
    stranger = without_own(labelled)
    assert not stranger.known
    assert not stranger.labels().any()
    assert len(stranger.evidence) == (~labelled.labels()).sum()
    assert without_own(stranger) == stranger


def test_each_sighting_of_the_later_half_is_asked_as_new_and_where_known_as_known() -> None:
    fitted = fit_curve({"nyala": STREAM})
    later = STREAM[len(STREAM) // 2 :]
    assert sum(not query.known for query in fitted.queries) == len(later)
    assert sum(query.known for query in fitted.queries) == sum(each.known for each in later)
    assert {query.species for query in fitted.queries} == {"nyala"}
    assert (fitted.curve.known, fitted.curve.new) == (1.0, 0.0)


def test_what_stands_for_a_new_animal_or_for_a_known_one_alone_is_asked_as_that_alone() -> None:
    half = len(STREAM) // 2
    later = STREAM[half:]
    as_new = [replace(each, calibration_role="new") for each in later[::2]]
    as_known = [replace(each, calibration_role="known") for each in later[1::2]]
    fitted = fit_curve({"nyala": [*STREAM[:half], *as_new, *as_known]})
    assert sum(not query.known for query in fitted.queries) == len(as_new)
    assert sum(query.known for query in fitted.queries) == sum(each.known for each in as_known)


def test_what_stands_for_a_new_animal_alone_has_no_part_in_the_curve() -> None:
    others = STREAM[:-40]
    unseen_models = [replace(each, calibration_role="new") for each in STREAM[-40:]]
    assert (
        fit_curve({"nyala": [*others, *unseen_models]}).curve.family
        == fit_curve({"nyala": others}).curve.family
    )


def test_an_animal_has_no_part_in_the_curve_by_which_it_is_asked() -> None:
    last = STREAM[-1]
    odd = replace(last, evidence=tuple(_inliers(item, 12) for item in last.evidence))
    before = fit_curve({"nyala": STREAM}).queries
    after = fit_curve({"nyala": [*STREAM[:-1], odd]}).queries
    dealt = folds(f"nyala/{each.identity}" for each in STREAM)
    fold = dealt[f"nyala/{last.identity}"]
    same = {
        old.individual: old == new
        for old, new in zip(before, after, strict=True)
        if old.individual != f"nyala/{last.identity}"
    }
    assert all(kept for individual, kept in same.items() if dealt[individual] == fold)
    assert not any(kept for individual, kept in same.items() if dealt[individual] != fold)


def _inliers(item: Evidence, count: int) -> Evidence:
    changed = Evidence()
    changed.CopyFrom(item)
    changed.inliers = count
    return changed


def test_animals_of_two_species_with_one_name_are_two() -> None:
    fitted = fit_curve({"nyala": STREAM[:60], "lion": STREAM[:60]})
    asked = {each.identity for each in STREAM[30:60]}
    assert len({query.individual for query in fitted.queries}) == 2 * len(asked)


def test_individuals_together_have_at_most_one_and_are_calibrated() -> None:
    curve = fit_curve({"nyala": STREAM}).curve
    asked = [*STREAM, *map(without_own, (each for each in STREAM if each.known))]
    claimed, kept = 0.0, 0
    for labelled in asked:
        ranked = rank(labelled.evidence, labelled.members, frozenset(), curve)
        assert sum(each.probability for each in ranked) <= 1 + 1e-9
        own = [each.probability for each in ranked if each.individual == labelled.identity]
        claimed += sum(each.probability for each in ranked)
        kept += len(own)
    assert claimed == pytest.approx(kept, rel=0.1)


def test_several_pictures_add_where_they_tell_more_than_the_best() -> None:
    family = fit_curve({"nyala": STREAM}).curve.family
    assert fit_competition(STREAM, family).dependence > 0


def test_the_baseline_is_even_over_its_bins() -> None:
    baseline = fit_curve({"nyala": STREAM}).curve.baseline
    assert baseline is not None
    assert len(baseline.shares) == 10
    assert np.array(baseline.shares) == pytest.approx(0.1, abs=0.03)


def test_arrivals_without_a_pair_of_one_individual_are_refused() -> None:
    with pytest.raises(CalibrationError, match="pairs of pictures of the same individual"):
        fit_curve({"nyala": [without_own(each) for each in STREAM]})


def test_a_curve_for_unseen_species_is_judged_set_by_set_without_the_set() -> None:
    other = made_arrivals(30, 4, seed=1, name="lion")
    odd = [without_own(each) for each in other[:30]] + other[30:]
    before, after = (
        fit_curve({"nyala": STREAM, "lion": lions}, {"nyala": "a", "lion": "b"}).queries
        for lions in (other, odd)
    )
    judged = {name: [each for each in before if each.species == name] for name in ("nyala", "lion")}
    assert judged["nyala"]
    assert judged["lion"] == [each for each in after if each.species == "lion"]
    assert judged["nyala"] != [each for each in after if each.species == "nyala"]


def test_the_pooled_threshold_holds_for_a_set_whose_scores_lie_elsewhere() -> None:
    """Its animals are all as alike as those of the other set are to themselves."""
    brothers = [_alike(each) for each in made_arrivals(40, 4, seed=1, name="lion")]
    every = {"nyala": STREAM, "lion": brothers}
    apart = calibrate(every, RISK_LEVELS, "a", "2", {"nyala": "a", "lion": "b"}).calibration.pooled
    together = calibrate(
        every, RISK_LEVELS, "a", "2", {"nyala": "a", "lion": "a"}
    ).calibration.pooled
    assert apart.family == together.family
    assert apart.known > together.known


def _alike(labelled: LabelledSighting) -> LabelledSighting:
    raised = [
        Evidence(candidate=item.candidate, depth=item.depth, inliers=8 + 3 * item.inliers)
        for item in labelled.evidence
    ]
    return replace(labelled, evidence=tuple(raised))


def test_what_is_written_is_what_is_loaded(tmp_path: Path) -> None:
    model = Model(role="encoder", name="tiny", version="1", preprocessing="abc")
    arrived = [replace(each, models=(model,)) for each in STREAM]
    found = calibrate({"nyala": arrived}, RISK_LEVELS, "a", "2").calibration
    write(found, tmp_path / "calibration.json")
    assert load(tmp_path / "calibration.json") == found
    assert found.models == (model,)
    assert found.pooled.known < 1
    assert found.pooled.guarantee is not None
    assert found.pooled.guarantee.bound <= 0.2


def test_few_animals_share_the_promise_and_few_pictures_share_the_curve() -> None:
    few = made_arrivals(8, 14, seed=1, name="lion")
    fewer = made_arrivals(8, 4, seed=2, name="cat")
    found = calibrate({"nyala": STREAM, "lion": few, "cat": fewer}, RISK_LEVELS, "a", "2")
    species = found.calibration.species
    assert set(species) == {"nyala", "lion"}
    assert list(found.shared) == ["lion"]
    assert "there are 8" in found.shared["lion"]
    assert species["nyala"].guarantee is not None
    assert species["nyala"].guarantee.species == ("nyala",)
    assert species["lion"].guarantee is not None
    assert species["lion"].guarantee.species == ("cat", "lion", "nyala")


def test_where_its_own_pictures_speak_against_the_shared_threshold_nothing_is_known() -> None:
    twins = [_twin(each, index) for index, each in enumerate(made_arrivals(8, 14, 1, name="lion"))]
    found = calibrate({"nyala": STREAM, "lion": twins}, RISK_LEVELS, "a", "2")
    assert found.calibration.species["nyala"].known < 1
    assert found.calibration.species["lion"].known == 1.0


def test_a_species_whose_own_pictures_speak_against_the_shared_threshold_has_a_higher_one() -> None:
    rights = [CalibrationQuery(f"lion/{n}", 0.7 + n / 50, known=True, right=True) for n in range(8)]
    mistaken = [CalibrationQuery(f"lion/{n}", 0.6, known=False, right=False) for n in range(4)]
    far = [CalibrationQuery(f"lion/{n}", 0.1, known=False, right=False) for n in range(8)]
    assert _raised(0.5, [*rights, *far], RISK_LEVELS) == 0.5
    assert 0.6 < _raised(0.5, [*rights, *mistaken, *far], RISK_LEVELS) < 0.7
    assert _raised(0.5, [*mistaken, *far], RISK_LEVELS) == 1.0


def test_a_species_without_a_pair_of_one_individual_goes_by_the_pooled_curve() -> None:
    loners = made_arrivals(110, 1, name="lion")
    found = calibrate({"nyala": STREAM, "lion": loners}, RISK_LEVELS, "a", "2")
    assert set(found.calibration.species) == {"nyala"}
    assert "pairs of pictures of the same individual" in found.shared["lion"]


def _twin(labelled: LabelledSighting, index: int) -> LabelledSighting:
    """Every other picture of an animal is of its twin, whom no evidence tells apart."""
    members = {
        picture: f"{identity} {int(picture.split()[-1]) % 2}"
        for picture, identity in labelled.members.items()
    }
    identity = f"{labelled.identity} {index % 2}"
    return replace(labelled, identity=identity, members=members, known=identity in members.values())


def test_evidence_of_different_models_is_not_mixed() -> None:
    model = Model(role="encoder", name="tiny", version="1", preprocessing="abc")
    mixed = [replace(STREAM[0], models=(model,)), *STREAM[1:]]
    with pytest.raises(CalibrationError, match="different models"):
        calibrate({"nyala": mixed}, RISK_LEVELS, "a", "2")
