"""The embedder's handler with a tiny model and both stores in a folder."""

from pathlib import Path

from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.service import EmbedderService
from services.embedder.settings import EmbedderSettings
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.foreground.segmenter import Segmenter
from shared.keypoints.extractors.crop_extractor import CropExtractor
from shared.messages import Capture, Sighting


class Place:
    """A folder with a model and both stores."""

    def __init__(self, folder: Path) -> None:
        self.crops = BlobStore(f"file://{folder}/crops")
        self.captures = BlobStore(f"file://{folder}/captures")
        self.model = folder / "tiny.onnx"

    def service(
        self,
        settings: EmbedderSettings | None = None,
        *,
        max_batch: int = 32,
        segmenter: Segmenter | None = None,
        extractor: CropExtractor | None = None,
    ) -> EmbedderService:
        return EmbedderService(
            OnnxEncoder(self.model, threads=1),
            self.crops,
            self.captures,
            settings or EmbedderSettings(),
            max_batch=max_batch,
            segmenter=segmenter,
            extractor=extractor,
        )


def sightings(service: EmbedderService, *captures: Capture) -> list[Sighting]:
    """Return the sightings of captures that are all taken."""
    found: list[Sighting] = []
    for result in service.handle(captures):
        assert not isinstance(result, Poison), result.reason
        found.extend(message for message in result if isinstance(message, Sighting))
    return found
