"""Every reason why a capture can't be handled is told by name, with a way out."""

from pathlib import Path

import pytest

from services.embedder.captures.capture import decode_capture
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.messages import Animal, BlobReference, Box, Capture
from shared.records import Record
from tests.support.samples.model_files import tiny_model
from tests.support.samples.pictures import photograph
from tests.support.samples.poison import Sample, samples


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> EmbedderService:
    folder = tmp_path_factory.mktemp("embedder")
    return EmbedderService(
        OnnxEncoder(tiny_model(folder / "tiny.onnx"), threads=1),
        BlobStore(f"file://{folder}/crops"),
        BlobStore(f"file://{folder}/captures"),
        EmbedderSettings(),
    )


def _poison(service: EmbedderService, sample: Sample) -> Poison:
    _, value, headers = sample
    record = Record("resight.captures.v1", 0, 7, b"cam-1", value, 1_780_000_000_000, headers)
    try:
        message = decode_capture(record)
    except Poison as poison:
        return poison
    (result,) = service.handle([message])
    assert isinstance(result, Poison)
    return result


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample[0])
def test_each_sample_is_poison_of_its_kind(service: EmbedderService, sample: Sample) -> None:
    poison = _poison(service, sample)
    assert poison.kind == sample[0]
    assert len(poison.reason) > 30
    assert poison.sightings >= 1


def test_the_samples_show_at_least_fifteen_kinds() -> None:
    assert len({kind for kind, _, _ in samples()}) >= 15


def test_what_was_sent_instead_of_a_picture_is_named(service: EmbedderService) -> None:
    archive: Sample = ("unsupported-format", b"PK\x03\x04" + bytes(100), {})
    assert "ZIP" in _poison(service, archive).reason


def test_poison_counts_the_animals_that_are_lost(service: EmbedderService) -> None:
    image = photograph()
    boxes = [Animal(box=Box(x=0.1 * i, y=0, width=0.1, height=1)) for i in range(3)]
    (result,) = service.handle([Capture(inline=image[:500], animals=boxes)])
    assert isinstance(result, Poison)
    assert result.sightings == 3


def test_coordinates_never_stand_in_a_reason(service: EmbedderService) -> None:
    sample = ("bad-place", photograph(), {"latitude": b"-91.2345", "longitude": b"36.8"})
    assert "91.2345" not in _poison(service, sample).reason


def test_a_poisoned_capture_leaves_its_neighbours_alone(service: EmbedderService) -> None:
    good = Capture(inline=photograph(seed=3))
    first, second, third = service.handle([good, Capture(inline=b"GIF89a"), good])
    assert isinstance(second, Poison)
    assert not isinstance(first, Poison)
    assert not isinstance(third, Poison)
    assert list(first) == list(third)


@pytest.mark.parametrize(
    ("kind", "change"),
    [("wrong-hash", {"sha256": "ab" * 32}), ("wrong-size", {"size": 5})],
)
def test_a_stored_picture_that_differs_from_its_reference_is_poison(
    tmp_path: Path, kind: str, change: dict[str, str | int]
) -> None:
    captures = BlobStore(f"file://{tmp_path}/captures")
    embedder = EmbedderService(
        OnnxEncoder(tiny_model(tmp_path / "tiny.onnx"), threads=1),
        BlobStore(f"file://{tmp_path}/crops"),
        captures,
        EmbedderSettings(),
    )
    stored = captures.put("cam-1/a.jpg", photograph())
    (good,) = embedder.handle([Capture(reference=stored)])
    assert not isinstance(good, Poison)
    wrong = BlobReference()
    wrong.CopyFrom(stored)
    for name, value in change.items():
        setattr(wrong, name, value)
    (bad,) = embedder.handle([Capture(reference=wrong)])
    assert isinstance(bad, Poison)
    assert bad.kind == kind
