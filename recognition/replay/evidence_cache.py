"""Evidence for labelled pictures, from the services in one process, cached on disk."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from google.protobuf.message import DecodeError
from google.protobuf.proto import (  # type: ignore[import-not-found]  # no stub has it
    parse_length_prefixed,
    serialize_length_prefixed,
)

from catalogue.publishing.captures import sightings
from catalogue.reading.catalogue import Photograph
from embedded.temporary import keypoint_cache
from recognition.data.labelled_folder import labelled_capture
from recognition.data.labelled_stream import LabelledCapture, MatchedSighting, stream
from recognition.replay.in_process import Handlers, handlers
from services.embedder.settings import EmbedderSettings
from services.lookup.settings import LookupSettings
from services.matcher.engine import build_engine
from services.matcher.settings import MatcherSettings
from shared.embeddings import model_name
from shared.environment import load
from shared.errors import ResightError
from shared.files import write_atomically
from shared.messages import Matches
from shared.progress import LOGGED, Progress


def matched_sightings(
    photographs: Sequence[Photograph], model: Path, kept: Path, progress: Progress = LOGGED
) -> Iterator[MatchedSighting]:
    """Yield every sighting of labelled photographs, in order, with its evidence.

    Evidence does not depend on decisions, so it is cached in `kept`: the same pictures in the same
    order, by the same models and settings, cost nothing the next time.

    Raises:
        LabelledStreamError: a service calls a picture poison.
        ResightError: the cache is damaged.
    """
    known, digest = _told(photographs, model)
    path = kept / "streams" / digest
    if not path.is_file():
        target = BytesIO()
        captures = (labelled_capture(each) for each in photographs)
        watched = progress.watch(captures, "comparing", len(photographs))
        with _served(model) as through:
            for seen in stream(watched, through.embedder, through.lookup, through.matcher):
                serialize_length_prefixed(seen.matches, target)
        write_atomically(path, target.getvalue())
    yield from _read(path, known)


@contextmanager
def _served(model: Path) -> Iterator[Handlers]:
    with (
        tempfile.TemporaryDirectory() as folder,
        keypoint_cache() as url,
        handlers(Path(folder), url, model) as through,
    ):
        yield through


def _read(
    path: Path, known: Mapping[str, tuple[LabelledCapture, str]]
) -> Iterator[MatchedSighting]:
    """Yield a file's sightings with their captures."""
    source, number = BytesIO(path.read_bytes()), Counter[str]()
    try:
        while (matches := parse_length_prefixed(Matches, source)) is not None:
            gallery = matches.query.gallery
            labelled, identity = known[matches.query.sighting_id]
            number[gallery] += not matches.incomparable
            own = 0 if matches.incomparable else number[gallery]
            yield MatchedSighting(labelled, identity, matches, own)
    except (DecodeError, ValueError, KeyError) as error:
        raise ResightError(f"{path} is damaged ({error}); delete it and run again") from error


def _told(
    photographs: Sequence[Photograph], model: Path
) -> tuple[dict[str, tuple[LabelledCapture, str]], str]:
    """Return the sightings' individuals, and the name of their evidence.

    It is named by the pictures, the encoder, and the settings. The captures are without pictures.
    """
    matching = load(MatcherSettings)
    networks = build_engine(matching)
    made_by = (
        sha256(model.read_bytes()).hexdigest(),
        repr(load(EmbedderSettings)),
        repr(load(LookupSettings)),
        repr(matching),
        model_name(networks.extractor.model),
        model_name(networks.cascade().model),
    )
    digest = sha256("\n".join(made_by).encode())
    known: dict[str, tuple[LabelledCapture, str]] = {}
    for photograph in photographs:
        labelled = labelled_capture(photograph)
        digest.update(labelled.capture.SerializeToString(deterministic=True))
        names = sightings(labelled.capture)
        labelled.capture.ClearField("inline")
        for name, identity in zip(names, labelled.identities, strict=True):
            known.setdefault(name, (labelled, identity))
    return known, digest.hexdigest()
