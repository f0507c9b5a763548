"""Keypoints of crops in a folder: the matcher's cache for offline work."""

from collections.abc import Sequence
from pathlib import Path

from services.matcher import keypoints as codec
from services.matcher.keypoints import Keypoints, UnreadableKeypointsError
from shared.embeddings import model_name
from shared.errors import ResightError
from shared.files import write_atomically
from shared.messages import ModelReference


class KeypointFolder:
    """Keypoints by the SHA-256 of the crop, for one model; see `crop_keypoints`.

    Nothing is evicted: 256 keypoints take 34 kB, so ten thousand crops 350 MB. Thread-safe.
    """

    def __init__(self, folder: Path, model: ModelReference) -> None:
        self._folder = folder / f"{codec.FORMAT}-{model_name(model)}"

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return the stored keypoints of these crops.

        Raises:
            ResightError: a file is damaged.
        """
        found = {}
        for digest in digests:
            path = self._path(digest)
            try:
                found[digest] = codec.decode(path.read_bytes())
            except FileNotFoundError:
                continue
            except UnreadableKeypointsError as error:
                raise ResightError(f"{path}: {error}; delete it and run again") from error
        return found

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Store a crop's keypoints."""
        write_atomically(self._path(digest), codec.encode(keypoints))

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest
