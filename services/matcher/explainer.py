"""Serves the matches of two sightings to the review pages: `python -m services.matcher.explainer`.

It runs from the matcher's image: POST /pair with a PairQuestion returns PairMatches. It has no
authentication, since only the API knows permissions, so it must not be reachable from outside.
"""

import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.message import DecodeError

from services.matcher.build import build_matcher
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.engine import Engine
from services.matcher.explanation import Explanation, explain, summary
from services.matcher.networks import pair_matcher
from services.matcher.pair_matchers.lightglue import PairMatcher
from services.matcher.settings import CacheSettings, ExplainerSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.errors import Poison, SettingsError, Transient
from shared.keypoints.keypoints import Keypoints
from shared.messages import PairMatch, PairMatches, PairQuestion, Shown, Sighting
from shared.process.health import Health, HealthServer
from shared.process.startup import start_process
from shared.settings import BlobSettings

PATH = "/pair"
# References of two crops are short.
MOST_BYTES = 64 * 1024

log = logging.getLogger(__name__)


class PairExplainer:
    """Compares two sightings as the service does; one pair at a time."""

    def __init__(self, networks: Engine, matcher: PairMatcher | None, crops: CropKeypoints) -> None:
        self._networks = networks
        self._matcher = matcher
        self._crops = crops
        self._lock = threading.Lock()

    def answer(self, question: PairQuestion) -> PairMatches:
        """Return the matches of two sightings.

        Raises:
            Poison: a crop is missing or damaged.
            Transient: the store of crops does not respond.
        """
        with self._lock:
            found = self._crops.find([_sighting(question.one), _sighting(question.other)])
            for each in found:
                if isinstance(each, Poison):
                    raise each
            one, other = (each for each in found if isinstance(each, Keypoints))
            explanation = explain(self._networks, self._matcher, one, other)
        return _told(explanation)


def _sighting(shown: Shown) -> Sighting:
    sighting = Sighting(crop=shown.crop)
    if shown.HasField("mask"):
        sighting.mask.CopyFrom(shown.mask)
    return sighting


def _told(explanation: Explanation) -> PairMatches:
    matches = [
        PairMatch(
            x=one[0],
            y=one[1],
            other_x=other[0],
            other_y=other[1],
            confidence=confidence,
            inlier=inlier,
            counts=counts,
        )
        for one, other, confidence, inlier, counts in zip(
            explanation.ends[0].tolist(),
            explanation.ends[1].tolist(),
            explanation.confidence.tolist(),
            explanation.inlier.tolist(),
            explanation.counts.tolist(),
            strict=True,
        )
    ]
    return PairMatches(
        matches=matches, evidence=explanation.evidence.message(), summary=summary(explanation)
    )


def server(
    settings: ExplainerSettings, answer: Callable[[PairQuestion], PairMatches]
) -> ThreadingHTTPServer:
    """Return an HTTP server that listens but does not serve yet.

    Raises:
        SettingsError: the address is in use or not of this machine.
    """
    try:
        return ThreadingHTTPServer((settings.host, settings.port), _handler(answer))
    except OSError as error:
        raise SettingsError(
            f"can't listen on {settings.host}:{settings.port}: {error.strerror}; see "
            "RESIGHT_EXPLAINER_HOST and RESIGHT_EXPLAINER_PORT"
        ) from error


def _handler(answer: Callable[[PairQuestion], PairMatches]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != PATH or not length.isdigit() or int(length) > MOST_BYTES:
                self._say(HTTPStatus.BAD_REQUEST, b"POST /pair takes a PairQuestion")
                return
            try:
                question = PairQuestion.FromString(self.rfile.read(int(length)))
                self._say(HTTPStatus.OK, answer(question).SerializeToString())
            except (Poison, DecodeError) as error:
                self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error).encode())
            except Transient as error:
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, str(error).encode())

        def _say(self, status: HTTPStatus, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            log.debug(format, *args)

    return Handler


def main() -> None:
    """Connect networks and stores, and serve until shutdown."""
    with start_process("explainer") as telemetry:
        settings, cache = load(MatcherSettings), load(CacheSettings)
        store = BlobStore(load(BlobSettings).crops_url)
        matcher = build_matcher(settings, store, cache)
        matcher.networks.warm_up()
        explainer = PairExplainer(matcher.networks, pair_matcher(settings), matcher.crops)
        health = Health(float("inf"), store.ready)
        health.joined = True
        probes = HealthServer(telemetry, health)
        probes.start()
        try:
            server(load(ExplainerSettings), explainer.answer).serve_forever()
        finally:
            probes.stop()


if __name__ == "__main__":
    main()
