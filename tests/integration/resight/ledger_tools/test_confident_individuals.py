"""What a ledger is sure of becomes labelled pictures; what it doubts does not."""

from pathlib import Path

from resight.ledger_tools.confident_individuals import half, labelled_crops
from services.registry.ledger.ledger import Ledger
from services.registry.review.reviewer import Reviewer
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.blobs import BlobStore
from shared.messages import Matches
from tests.support.identities import CALIBRATION, found
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting


def seen(ledger: Ledger, crops: BlobStore, name: str, kinds: dict[str, str]) -> None:
    """Let a sighting come with a stored crop, compared as `kinds` says."""
    before = ledger.count(GALLERY, "enrolments")
    numbers = {
        each.sighting_id: each.number
        for chunk in ledger.between(GALLERY, 0, before)
        for each, _ in chunk
    }
    evidence = [found(each, number, kinds.get(each, "other")) for each, number in numbers.items()]
    query = sighting(name)
    query.crop.CopyFrom(crops.put(f"crops/{name}.jpg", f"picture of {name}".encode()))
    query.captured_at.FromDatetime(NOON)
    message: Matches = matches(query, evidence, watermark=before)
    RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON).handle([message])


def told(ledger: Ledger, crops: BlobStore, folder: Path) -> dict[str, str]:
    return {each.path.stem: each.identities[0] for each in labelled_crops(ledger, crops, folder)}


def test_sure_individuals_are_labelled_and_doubtful_ones_left_out(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger, crops = ledger_at(ledger_url), BlobStore(tmp_path.as_uri())
    seen(ledger, crops, "a", {})
    seen(ledger, crops, "b", {"a": "same"})
    seen(ledger, crops, "c", {})
    seen(ledger, crops, "d", {"c": "doubtful"})
    first = ledger.members(GALLERY)["a"]
    assert told(ledger, crops, tmp_path) == {"a": first, "b": first}
    person = Reviewer(ledger, CALIBRATION, GALLERY, "ada", now=lambda: NOON)
    said = person.same("1", "c", "d")
    second = ledger.members(GALLERY)["c"]
    assert told(ledger, crops, tmp_path) == {"a": first, "b": first, "c": second, "d": second}
    person.undo("2", said.decision.number)
    seen(ledger, crops, "e", {"c": "doubtful", "d": "doubtful"})
    assert told(ledger, crops, tmp_path) == {"a": first, "b": first}  # taken back, in doubt again
    [picture, *_] = labelled_crops(ledger, crops, tmp_path)
    assert picture.path.read_bytes() == b"picture of a"
    assert (picture.species, picture.captured_at) == ("plains-zebra", NOON)


def test_a_crop_that_is_gone_is_left_out(ledger_url: str, tmp_path: Path) -> None:
    ledger, crops = ledger_at(ledger_url), BlobStore((tmp_path / "store").as_uri())
    seen(ledger, crops, "a", {})
    seen(ledger, crops, "b", {})
    (tmp_path / "store" / "crops" / "a.jpg").unlink()
    assert list(told(ledger, crops, tmp_path)) == ["b"]


def test_halves_are_by_individual_and_about_equal() -> None:
    halves = [half(f"zebra-{number:04d}") for number in range(400)]
    assert 150 < halves.count("odd") < 250
    assert halves == [half(f"zebra-{number:04d}") for number in range(400)]
