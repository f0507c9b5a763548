"""The calibration file: what is loaded, and what is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.registry.calibration.calibration import load, models_of
from services.registry.features.evidence import FEATURES, features
from services.registry.settings import RegistrySettings
from shared.errors import Poison, SettingsError
from shared.messages import DEPTH_NEIGHBOURS, Candidate, Evidence, ModelReference
from tests.support import queries
from tests.support.queries import CURVES, evidence, matches, sighting, unsure

FILE = Path(queries.__file__).with_name("calibration.json")
KNOTS = {"at": [0.0, 1.0], "probability": [0.1, 0.9]}


def _family(**changed: Any) -> dict[str, Any]:
    family = json.loads(FILE.read_text())["pooled"]["family"]
    return {"pooled": {"family": family | changed}}


def _isotonic(scores: list[dict[str, Any]]) -> dict[str, Any]:
    family = {"kind": "isotonic", "scores": scores, "slope": 1.0, "intercept": 0.0}
    return {"pooled": {"family": family}}


def _baseline(edges: list[float], shares: list[float]) -> dict[str, Any]:
    return {"pooled": {"baseline": {"edges": edges, "shares": shares}}}


def test_a_species_has_its_own_curve_and_the_rest_share_the_pooled_one() -> None:
    assert CURVES.curve("hluhluwe/lion") == CURVES.species["lion"]
    assert CURVES.curve("hluhluwe/nyala") == CURVES.pooled
    assert CURVES.title == "fixture 1"


def test_the_packaged_file_loads() -> None:
    assert load(RegistrySettings().calibration).features == FEATURES


def test_more_evidence_is_more_probable() -> None:
    weak, middle, strong = CURVES.pooled.probabilities(
        features([evidence("a", same=False), unsure("b"), evidence("c", same=True)])
    )
    assert weak < 0.01
    assert 0.3 < middle < 0.8
    assert 0.8 < strong < 1


def test_features_far_from_everything_still_give_a_probability() -> None:
    extreme = np.array([[1e6] * len(FEATURES), [-1e6] * len(FEATURES)])
    high, low = CURVES.pooled.probabilities(extreme)
    assert (high, low) == (1.0, 0.0)


def test_features_have_their_order_and_counts_their_logarithm() -> None:
    item = Evidence(
        candidate=Candidate(cosine=-0.5),
        depth=DEPTH_NEIGHBOURS,
        neighbours=1,
        neighbour_score=2,
        matches=3,
        confidence=4,
        inliers=5,
        distinctiveness=0.3,
    )
    expected = [-0.5, *np.log1p([1, 2, 3, 4, 5, 6]), 0, 0, 0, 1, 0]
    assert features([item]) == pytest.approx(np.array([expected]))
    assert features([]).shape == (0, len(FEATURES))


def _list(cosines: Sequence[float], neighbours: Sequence[int] = ()) -> list[Evidence]:
    counts = neighbours or [0] * len(cosines)
    return [
        Evidence(candidate=Candidate(sighting_id=f"{index}", cosine=cosine), neighbours=count)
        for index, (cosine, count) in enumerate(zip(cosines, counts, strict=True))
    ]


def _relative(found: Sequence[Evidence]) -> NDArray[np.float64]:
    first = FEATURES.index("relative_cosine")
    return features(found)[:, first : first + 3]


def test_how_far_a_candidate_stands_out_of_the_others_does_not_depend_on_how_alike_all_are() -> (
    None
):
    others = np.linspace(0.1, 0.3, 40)
    here, elsewhere = (_relative(_list([*(others + shift), 0.6 + shift])) for shift in (0, 0.35))
    assert here == pytest.approx(elsewhere, abs=1e-5)
    assert here[-1, 0] > 3
    assert abs(np.median(here[:, 0])) < 0.1


def test_where_all_are_alike_nobody_stands_out() -> None:
    assert not _relative(_list([0.5] * 30, [12] * 30)).any()
    nearly = _relative(_list([0.5] * 29 + [0.51], [12] * 29 + [13]))
    assert np.abs(nearly).max() < 1


def test_pictures_of_the_same_animal_do_not_hide_one_another() -> None:
    """A third of the list may be the query's own animal: the spread is that of the others."""
    others = list(np.linspace(0.1, 0.3, 40))
    assert _relative(_list(others + [0.6] * 20))[-1, 0] > 2.5


def test_a_short_list_says_less_of_who_stands_out_and_one_candidate_nothing() -> None:
    found = [
        _relative(_list([*np.linspace(0.1, 0.3, count), 0.9]))[-1, 0] for count in (0, 3, 10, 80)
    ]
    assert found[0] == 0
    assert found == sorted(found)
    assert found[1] < 0.4 * found[-1]


def test_a_file_of_other_features_says_that_and_nothing_else(tmp_path: Path) -> None:
    content = json.loads(FILE.read_text())
    content["features"].pop()
    for name in ("coefficients", "means", "scales"):
        content["pooled"]["family"][name].pop()
    (tmp_path / "old.json").write_text(json.dumps(content))
    with pytest.raises(SettingsError, match="calibrate again") as refused:
        load(tmp_path / "old.json")
    assert "coefficients" not in str(refused.value)


def test_a_previous_version_s_field_names_are_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.loads(FILE.read_text())
    content["pooled"] |= {"nobody": content["pooled"].pop("unknown_logit"), "promise": None}
    content["pooled"].pop("guarantee", None)
    (tmp_path / "old.json").write_text(json.dumps(content))
    old = load(tmp_path / "old.json").pooled
    assert old.unknown_logit == load(FILE).pooled.unknown_logit
    assert {record.getMessage() for record in caplog.records} == {
        "calibration field nobody is now unknown_logit; calibrate again",
        "calibration field promise is now guarantee; calibrate again",
    }


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -1.0])
def test_impossible_evidence_is_poison(confidence: float) -> None:
    with pytest.raises(Poison, match="candidate a "):
        features([Evidence(candidate=Candidate(sighting_id="a"), confidence=confidence)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "name: String should have at least 1"),
        ({"features": ["cosine"]}, "calibrate again"),
        (_family(coefficients=[1.0]), "coefficients has 1 numbers instead of 12"),
        (_family(scales=[0.0] * 12), r"pooled\.family\.logistic\.scales\.0"),
        (_family(kind="linear"), r"pooled\.family: .*'logistic', 'isotonic'"),
        (_isotonic([KNOTS] * 5), "scores has 5 curves instead of 10"),
        (_isotonic([KNOTS | {"at": [1.0, 0.0]}] * 10), "points must increase"),
        (_isotonic([KNOTS | {"at": [1.0]}] * 10), "1 points have 2 probabilities"),
        ({"pooled": {"temperature": 0.0}}, r"pooled\.temperature"),
        (_baseline([0.5], [1.0]), "1 edges have 1 shares"),
        (_baseline([0.5, 0.4], [0.2, 0.3, 0.5]), "edges must rise"),
        (_baseline([0.5], [0.2, 0.3]), r"add up to 0.500"),
        ({"pooled": {"known": 0.2, "new": 0.3}}, r"new \(0.3\) exceeds known \(0.2\)"),
        ({"pooled": {"known": 1.2}}, r"pooled\.known"),
        ({"pooled": {"dependence": 1.0}}, r"pooled\.dependence"),
        ({"pooled": {"colour": 1}}, r"pooled\.colour"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    content = json.loads(FILE.read_text())
    for name, value in change.items():
        if isinstance(value, dict):
            content[name] |= value
        else:
            content[name] = value
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SettingsError, match=message):
        load(path)


def test_models_of_another_version_are_strangers() -> None:
    query = matches(sighting("a"))
    fitted = CURVES.model_copy(update={"models": models_of(query)})
    assert fitted.unseen_models(query) == ()
    query.matcher.CopyFrom(ModelReference(name="lightglue", version="2"))
    (stranger,) = fitted.unseen_models(query)
    assert (stranger.role, stranger.name, stranger.version) == ("matcher", "lightglue", "2")


@pytest.mark.parametrize(("made", "stranger"), [("", False), ("-half", False), ("-other", True)])
def test_the_precision_of_a_matcher_makes_no_stranger(made: str, stranger: bool) -> None:
    query = matches(sighting("a"))
    query.matcher.CopyFrom(
        ModelReference(name="lightglue", version="1", preprocessing="best10-int8")
    )
    fitted = CURVES.model_copy(update={"models": models_of(query)})
    query.matcher.preprocessing = "best10" + made
    assert bool(fitted.unseen_models(query)) == stranger


def test_where_the_models_were_not_recorded_none_is_a_stranger() -> None:
    assert CURVES.models == ()
    assert CURVES.unseen_models(matches(sighting("a"))) == ()


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text("{")
    with pytest.raises(SettingsError, match="is not a calibration: file: Invalid JSON"):
        load(path)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="RESIGHT_REGISTRY_CALIBRATION"):
        load(tmp_path / "none.json")
