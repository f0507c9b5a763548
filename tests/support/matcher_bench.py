"""The matcher's service with its networks, a real store of crops and a real cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.engine import Engine
from services.matcher.metrics import KEYPOINTS
from services.matcher.service import MatcherService
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.images.codec import encode_jpeg
from shared.messages import (
    BlobReference,
    Candidate,
    CandidateList,
    Evidence,
    Matches,
    Sighting,
)

Picture = NDArray[np.uint8]
MAX_BYTES = 1 << 20


def textured(seed: int) -> Picture:
    blots = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blots, (256, 192), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@dataclass
class Bench:
    """A service whose parts a test can reach, and how to make messages for it."""

    engine: Engine
    folder: Path
    store: BlobStore
    url: str

    def cache(self, local_entries: int = 0) -> KeypointCache:
        return KeypointCache(
            connect(self.url, 0.5),
            self.engine.extractor.model,
            self.engine.extractor.descriptor_length,
            local_entries=local_entries,
            retry_seconds=60,
        )

    def service(self, local_entries: int = 0) -> MatcherService:
        crops = CropKeypoints(
            self.store, self.engine.extractor, self.cache(local_entries), MAX_BYTES
        )
        return MatcherService(self.engine, crops, self.store)

    def crop(self, picture: Picture) -> BlobReference:
        content = encode_jpeg(picture, 90)
        return self.store.put(f"crops/{abs(hash(content)):x}.jpg", content)

    def candidate(self, name: str, picture: Picture) -> Candidate:
        return Candidate(sighting_id=name, enrolment_number=7, crop=self.crop(picture), cosine=0.5)

    def candidates(
        self,
        picture: Picture,
        candidates: Sequence[Candidate] = (),
        *,
        earlier: Sequence[Evidence] = (),
        number: int = 1,
    ) -> CandidateList:
        query = Sighting(sighting_id="query", deployment="cam-1", crop=self.crop(picture))
        return CandidateList(
            query=query,
            watermark=41 + number,
            candidates=candidates,
            earlier=earlier,
            pass_number=number,
        )


def keypoints(source: str) -> float:
    return float(KEYPOINTS.labels(source)._value.get())


def only(service: MatcherService, candidates: CandidateList) -> Matches:
    [result] = service.handle([candidates])
    assert not isinstance(result, Poison), result.reason
    [matches] = result
    assert isinstance(matches, Matches)
    return matches
