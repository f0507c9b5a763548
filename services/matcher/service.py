"""Turns candidate lists into matches."""

from collections.abc import Sequence

from services.matcher.background.memory import BackgroundMemory
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cascade.cascade import incomparable
from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.engine import Engine
from services.matcher.keypoints import Keypoints
from services.matcher.metrics import CANDIDATES, COMPARISON, MODEL
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.messages import DEPTH_NONE, Candidate, CandidateList, Depth, Evidence, Matches, Sighting
from shared.records import Receipt, Result


class MatcherService:
    """Attaches local-feature evidence to every candidate of a query.

    It writes only to the cache, so any number of replicas may run. A replay gives the same matches;
    with a `background`, as long as the query's keypoints are cached (see there).
    """

    def __init__(
        self,
        engine: Engine,
        crops: CropKeypoints,
        store: BlobStore,
        background: BackgroundMemory | None = None,
    ) -> None:
        self._engine = engine
        self._extractor_model = engine.extractor.model
        self._crops = crops
        self._store = store
        self._background = background
        used = [("extractor", engine.extractor.model)]
        used += [("matcher", cascade.model) for cascade in engine.cascades()]
        for role, model in used:
            MODEL.labels(role, model.name, model.version, model.preprocessing).set(1)

    def handle(self, messages: Sequence[CandidateList]) -> list[Result]:
        """Return one Matches, or a Poison, for each CandidateList.

        Later passes go first: a registry waits for them.

        Raises:
            Transient: the store of crops does not respond.
        """
        results: dict[int, Result] = {}
        for i in sorted(range(len(messages)), key=lambda i: -messages[i].pass_number):
            try:
                results[i] = [self._matches(messages[i])]
            except Poison as poison:
                results[i] = poison
        return [results[i] for i in range(len(messages))]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        """Nothing to do."""

    def ready(self) -> bool:
        """Return whether the store of crops responds; the cache is optional."""
        return self._store.ready()

    def _matches(self, candidates: CandidateList) -> Matches:
        compared = {evidence.candidate.sighting_id for evidence in candidates.earlier}
        new = [c for c in candidates.candidates if c.sighting_id not in compared]
        mine, compared_now = self._compare(candidates.query, new, candidates.earlier)
        every = [*candidates.earlier, *compared_now]
        once: dict[str, Evidence] = {}
        for evidence in every:
            once.setdefault(evidence.candidate.sighting_id, evidence)
        return Matches(
            query=candidates.query,
            pass_number=candidates.pass_number,
            watermark=candidates.watermark,
            epoch=candidates.epoch,
            evidence=once.values(),
            extractor=self._extractor_model,
            matcher=self._engine.cascade(candidates.query.gallery).model,
            incomparable=candidates.query.incomparable or incomparable(mine),
        )

    def _compare(
        self, query: Sighting, candidates: Sequence[Candidate], earlier: Sequence[Evidence]
    ) -> tuple[Keypoints, list[Evidence]]:
        """Extract the query's keypoints even without candidates: it may become one."""
        mine, *theirs = self._crops.find([query, *candidates])
        if isinstance(mine, Poison):
            raise Poison(
                f"the crop of sighting {query.sighting_id} can't be read ({mine.reason}); publish "
                "its capture again",
                kind="missing-crop" if mine.kind == "missing-blob" else mine.kind,
            )
        if self._background is not None:
            mine = self._background.marked(query, mine)
        cascade = self._engine.cascade(query.gallery)
        with COMPARISON.time():
            chosen = cascade.shortlisted(
                mine,
                [each if isinstance(each, Keypoints) else None for each in theirs],
                [each.cosine for each in candidates],
            )
            crops = [theirs[i] for i in chosen]
            pairs = iter(
                cascade.gather(
                    mine,
                    [each for each in crops if isinstance(each, Keypoints)],
                    [PairEvidence.of(evidence) for evidence in earlier],
                )
            )
        CANDIDATES.labels("passed_over").inc(len(candidates) - len(chosen))
        return mine, [
            _evidence(candidates[i], next(pairs) if isinstance(crop, Keypoints) else _unread(crop))
            for i, crop in zip(chosen, crops, strict=True)
        ]


def _unread(crop: Poison) -> PairEvidence:
    return PairEvidence(DEPTH_NONE, reason=f"the candidate's crop can't be read: {crop.reason}")


def _evidence(candidate: Candidate, pair: PairEvidence) -> Evidence:
    CANDIDATES.labels(Depth.Name(pair.depth).removeprefix("DEPTH_").lower()).inc()
    return pair.message(candidate)
