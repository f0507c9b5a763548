"""Evaluation of a folder of labelled pictures, by the code that serves; see docs/science.md."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalogue.reading.catalogue import Photograph
from recognition import splits
from recognition.calibration.bound import RiskLevels
from recognition.data.labelled_folder import DataSetError, labelled_animals, labelled_capture
from recognition.data.labelled_stream import LabelledCapture
from recognition.defaults import ADAPTED, SEED
from recognition.evaluation.encoders import adapted_file, model_file
from recognition.evaluation.fitting import fitted, sample
from recognition.evaluation.folds import folds
from recognition.evaluation.gallery_session import QueryResult
from recognition.evaluation.report import Report
from recognition.evaluation.run import Conditions, Evaluation, fitting_queries, run
from recognition.replay.in_process import Handlers, cached_handlers
from recognition.splits import Split, SplitError
from recognition.training.adaptation.adaptation import InputView
from recognition.training.data.samples import individual_of
from recognition.training.recipe import TrainingError
from services.embedder.settings import EmbedderSettings
from services.matcher.cascade.policy import PolicyName
from services.matcher.settings import MatcherSettings
from services.registry.calibration import calibration
from services.registry.calibration.calibration import Calibration
from shared.environment import load
from shared.foreground.settings import SegmenterName
from shared.progress import LOGGED, Progress

# Number of folds for calibrating an adapted model: in each, other individuals are new.
FOLDS = 3


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate; the defaults are those of `resight evaluate`.

    whole: search the whole gallery, opposite flanks included; None: as published, except that the
        encounter split keeps flanks apart as the service does
    calibration: file to decide by; None: fitted on the gallery, never on a query
    policy, segmenter: of the matcher and the embedder; None: as served
    fitting_pictures: maximum gallery pictures for fitting the calibration
    max_false_known: accepted share of new animals called known
    cache: folder for crops, embeddings, keypoints and comparisons
    workers: pictures compared in parallel
    """

    whole: bool | None = None
    seed: int = SEED
    limit: int | None = None
    calibration: Path | None = None
    policy: PolicyName | None = None
    segmenter: SegmenterName | None = None
    fitting_pictures: int = 400
    max_false_known: float = RiskLevels.false_known
    cache: Path = Path("out/cache")
    workers: int = os.cpu_count() or 1

    @property
    def cutting(self) -> EmbedderSettings:
        """The embedder's settings."""
        given = {} if self.segmenter is None else {"segmenter": self.segmenter}
        return load(EmbedderSettings).model_copy(update=given)

    @property
    def matching(self) -> MatcherSettings:
        """The matcher's settings."""
        said = {"policy": self.policy, "segmenter": self.segmenter}
        given = {name: value for name, value in said.items() if value is not None}
        return load(MatcherSettings).model_copy(update=given)


Inspect = Callable[[Evaluation, Handlers], None]


def evaluate(
    data: str | Path,
    split: str = "closed",
    model: str = ADAPTED,
    options: EvaluationOptions = EvaluationOptions(),
    progress: Progress = LOGGED,
) -> Report:
    """Return how well the labelled pictures of a folder are recognised.

    Args:
        data: a folder with a metadata.csv.
        split: closed, open, disjoint, time, encounter or study.
        model: an ONNX file, the name of a backbone, or `adapted`: what `resight adapt` makes of
            the gallery. It is calibrated on animals it was not trained on.

    Raises:
        DataSetError: the folder has no metadata.csv or no labels, or can't be split so.
        ResightError: a model, a picture or a calibration is not usable.
    """
    return evaluate_folder(Path(data), split, model, options, progress=progress).report


def evaluate_folder(
    folder: Path,
    split: str,
    model: str,
    options: EvaluationOptions,
    *,
    progress: Progress = LOGGED,
    inspect: Inspect = lambda _evaluation, _handlers: None,
) -> Evaluation:
    """Return an evaluation with its queries; see `evaluate`.

    `inspect` is called with it while its services are still available.
    """
    animals = labelled_animals(folder, options.limit, progress)
    try:
        parts = splits.split(split, animals, options.seed)
    except SplitError as error:
        raise DataSetError(f"{folder}: {error}") from error
    given = None if options.calibration is None else calibration.load(options.calibration)
    whole = split != "encounter" if options.whole is None else options.whole
    work = _Work(animals, parts, model, replace(options, whole=whole), progress)
    curves = given or work.fitted()
    with work.served(work.model(parts.gallery)) as through:
        found = run(
            work.captures(parts.gallery, "embedding the gallery"),
            work.captures(parts.queries, "embedding the queries"),
            through,
            work.conditions,
            calibration=curves,
            watch=progress.watch,
        )
        _note_limits(found, options.max_false_known, given, progress)
        inspect(found, through)
    return found


@dataclass(frozen=True)
class _Work:
    """One evaluation in progress."""

    animals: Sequence[Photograph]
    split: Split
    named: str
    options: EvaluationOptions
    progress: Progress

    @property
    def conditions(self) -> Conditions:
        return Conditions(bool(self.options.whole), self.options.seed, self.options.workers)

    def fitted(self) -> Calibration:
        """Return a calibration of the gallery alone."""
        most, seed = self.options.fitting_pictures, self.options.seed
        accepted = self.options.max_false_known
        if self.named != ADAPTED:
            chosen = sample(self.split.gallery, most, seed)
            with self.served(self.model(())) as through:
                return fitted(self._asked(chosen, through), accepted)
        individuals = {index: individual_of(self.animals[index]) for index in self.split.gallery}
        asked: list[QueryResult] = []
        for turn in folds(individuals, most, FOLDS, seed):
            with self.served(self.model(turn.learnt)) as through:
                answers = self._asked(turn.new + turn.known, through)
            new = {str(self.animals[index].path) for index in turn.new}
            asked += [
                each.with_calibration_role("new" if each.subject.source in new else "known")
                for each in answers
            ]
        # Streams use their later half; here all queries had the same gallery.
        return fitted(sample(asked, len(asked), seed), accepted)

    def _asked(self, chosen: Sequence[int], through: Handlers) -> list[QueryResult]:
        sources = frozenset(str(self.animals[index].path) for index in chosen)
        gallery = self.captures(self.split.gallery, "embedding the gallery")
        return fitting_queries(gallery, sources, through, self.conditions, self.progress.watch)

    @contextmanager
    def served(self, model: Path) -> Iterator[Handlers]:
        options = self.options
        with tempfile.TemporaryDirectory() as folder:
            settings = options.cutting, options.matching
            with cached_handlers(Path(folder), options.cache, model, *settings) as through:
                yield through

    def model(self, learnt: Sequence[int]) -> Path:
        """Return the encoder's file; an adapted one was trained on `learnt` only."""
        folder = self.options.cache / "models"
        if self.named != ADAPTED:
            return model_file(self.named, folder)
        # The embedder must segment, because the model sees animals alone.
        found = self.options.cutting.segmenter == "u2netp"
        view: InputView | None = None if found else "crop"
        learned = [self.animals[index] for index in learnt]
        try:
            with self.progress.bar("adapting the model") as show:
                return adapted_file(
                    learned, folder, lambda _stage, done, total: show(done, total), view
                )
        except TrainingError as error:
            raise DataSetError(
                f"the default model can't be adapted to the gallery: {error}; use more pictures, "
                "or another model, such as --model efficientnet_lite0"
            ) from error

    def captures(self, chosen: Sequence[int], what: str) -> Iterable[LabelledCapture]:
        found = (labelled_capture(self.animals[index]) for index in chosen)
        return self.progress.watch(found, what, len(chosen))


def _note_limits(
    found: Evaluation, asked_for: float, given: Calibration | None, progress: Progress
) -> None:
    """Report limitations of the numbers."""
    guarantee = found.curve(found.asked[0]).guarantee
    if guarantee is None:
        progress.note("the calibration has no guaranteed thresholds")
    elif guarantee.false_known > asked_for:
        progress.note(
            f"the gallery's {guarantee.individuals} individuals are too few to guarantee that at "
            f"most {asked_for:g} of new animals are called known; "
            f"{guarantee.false_known:.3f} is guaranteed"
        )
    for model in given.unseen_models(found.asked[0].matches) if given else ():
        progress.note(
            f"the calibration {found.calibration.title} was not fitted on the {model.role} "
            f"{model.name}; its probabilities may be wrong"
        )
