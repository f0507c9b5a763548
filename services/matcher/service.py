"""Turns candidate lists into matches."""

from collections.abc import Sequence

from services.matcher.background.memory import BackgroundMemory
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cascade.cascade import incomparable
from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.cascade.voting import ANSWERING, Ballot, vote
from services.matcher.engine import Engine
from services.matcher.metrics import CANDIDATES, COMPARISON, MODEL
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.keypoints.keypoints import Keypoints
from shared.messages import DEPTH_NONE, Candidate, CandidateList, Depth, Evidence, Matches, Sighting
from shared.records import Receipt, Result
from shared.votes import KeypointVotes


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
        mine, theirs = self._keypoints(candidates.query, new)
        with COMPARISON.time():
            readable = {
                candidate.enrolment_number: each
                for candidate, each in zip(new, theirs, strict=True)
                if isinstance(each, Keypoints)
            }
            ballot = vote(mine, readable, KeypointVotes.of(candidates.earlier_votes))
            found = self._compare(candidates, new, mine, theirs, ballot)
        once: dict[str, Evidence] = {}
        for evidence in [*candidates.earlier, *found]:
            once.setdefault(evidence.candidate.sighting_id, evidence)
        matches = Matches(
            query=candidates.query,
            pass_number=candidates.pass_number,
            watermark=candidates.watermark,
            epoch=candidates.epoch,
            evidence=once.values(),
            votes=ballot.votes.message(),
            extractor=self._extractor_model,
            matcher=self._engine.cascade(candidates.query.gallery).model,
            incomparable=candidates.query.incomparable or incomparable(mine),
        )
        # A later pass changes what earlier matches are worth.
        for evidence in matches.evidence:
            worth = ballot.worth.get(evidence.candidate.enrolment_number, 0.0)
            evidence.distinctiveness = worth
        return matches

    def _keypoints(
        self, query: Sighting, candidates: Sequence[Candidate]
    ) -> tuple[Keypoints, list[Keypoints | Poison]]:
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
        return mine, theirs

    def _compare(
        self,
        candidates: CandidateList,
        new: Sequence[Candidate],
        mine: Keypoints,
        theirs: Sequence[Keypoints | Poison],
        ballot: Ballot,
    ) -> list[Evidence]:
        """Return the evidence of the likeliest new candidates."""
        cascade = self._engine.cascade(candidates.query.gallery)
        chosen = cascade.shortlisted(
            [each.cosine for each in new],
            [ballot.worth.get(each.enrolment_number, 0.0) for each in new],
        )
        CANDIDATES.labels("passed_over").inc(len(new) - len(chosen))
        crops = [theirs[i] for i in chosen]
        pairs = iter(
            cascade.gather(
                mine,
                [each for each in crops if isinstance(each, Keypoints)],
                [PairEvidence.of(evidence) for evidence in candidates.earlier],
            )
        )
        found = [
            _evidence(new[i], next(pairs) if isinstance(crop, Keypoints) else _unread(crop))
            for i, crop in zip(chosen, crops, strict=True)
        ]
        # The best know something of the query that others' votes are measured against.
        for evidence in sorted(found, key=lambda each: -each.neighbour_score)[:ANSWERING]:
            number = evidence.candidate.enrolment_number
            if number in ballot.reverse:
                evidence.reverse_keypoints, row = ballot.reverse[number]
                evidence.reverse = row.tobytes()
        return found


def _unread(crop: Poison) -> PairEvidence:
    return PairEvidence(DEPTH_NONE, reason=f"the candidate's crop can't be read: {crop.reason}")


def _evidence(candidate: Candidate, pair: PairEvidence) -> Evidence:
    CANDIDATES.labels(Depth.Name(pair.depth).removeprefix("DEPTH_").lower()).inc()
    return pair.message(candidate)
