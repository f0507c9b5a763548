"""A folder of labelled pictures, evaluated: what `resight evaluate` does with each."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.progress import Progress, track

from catalogue.reading import photographs
from catalogue.reading.photographs import METADATA, Photograph
from recognition import splits
from recognition.data.labelled_stream import LabelledCapture
from recognition.evaluation.encoders import ADAPTED, adapted_file, model_file
from recognition.evaluation.fitting import fitted, sample
from recognition.evaluation.folds import folds
from recognition.evaluation.gallery_session import QueryResult
from recognition.evaluation.run import Conditions, Evaluation, fitting_queries, run
from recognition.figures import chart_files, failure_cases
from recognition.replay.in_process import Handlers, cached_handlers
from recognition.splits import Split, SplitError
from recognition.training.adaptation import InputView
from recognition.training.recipe import TrainingError
from recognition.training.samples import individual_of
from resight.commands.publish import read_catalogue, show_notes
from resight.console import CommandError, note, notes
from resight.decodable import decodable
from resight.evidence_cache import labelled_capture
from services.embedder.settings import EmbedderSettings
from services.matcher.cascade.policy import PolicyName
from services.matcher.settings import MatcherSettings
from services.registry.calibration import calibration
from services.registry.calibration.calibration import Calibration
from shared.environment import load
from shared.foreground.settings import SegmenterName

T = TypeVar("T")

# An adapted model is calibrated by so many others, to each of which other individuals are new.
FOLDS = 3


@dataclass(frozen=True)
class Task:
    """One evaluation: see the options of `resight evaluate`."""

    folder: Path
    split: str
    seed: int
    model: str
    whole: bool
    limit: int | None
    calibration: Path | None
    policy: PolicyName | None
    segmenter: SegmenterName | None
    fitting_pictures: int
    false_known: float
    cache: Path
    workers: int
    pictures: Path | None

    @property
    def dataset(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def cutting(self) -> EmbedderSettings:
        """The embedder's settings, likewise."""
        given = {} if self.segmenter is None else {"segmenter": self.segmenter}
        return load(EmbedderSettings).model_copy(update=given)

    @property
    def matching(self) -> MatcherSettings:
        """The matcher's settings: as served, but for what the task says."""
        said = {"policy": self.policy, "segmenter": self.segmenter}
        given = {name: value for name, value in said.items() if value is not None}
        return load(MatcherSettings).model_copy(update=given)


def evaluate(task: Task) -> Evaluation:
    """Carry a task out; progress goes to stderr, pictures where the task says.

    Raises:
        CommandError: the folder has no metadata.csv or no labels, or can't be split so.
        ResightError: a model, a picture or a calibration is not usable.
    """
    animals = labelled_animals(task.folder, task.limit)
    split = _split(task, animals)
    given = None if task.calibration is None else calibration.load(task.calibration)
    conditions = Conditions(task.whole, task.seed, task.workers)
    decided_by = given or _fitted(task, animals, split, conditions)
    with _served(task, _model(task, animals, split.gallery)) as through:
        found = run(
            _captures(animals, split.gallery, "embedding the gallery"),
            _captures(animals, split.queries, "embedding the queries"),
            through,
            conditions,
            calibration=decided_by,
            watch=_watch,
        )
        _warn(found, task.false_known, given)
        if task.pictures is not None:
            subject = f"{task.dataset}, {task.split}"
            for path in chart_files.draw(found, task.pictures, subject):
                note(f"wrote {path}")
            target = task.pictures / "mistakes.png"
            if failure_cases.draw(found, through, task.matching, target, subject):
                note(f"wrote {target}")
    return found


def labelled_animals(folder: Path, limit: int | None) -> tuple[Photograph, ...]:
    """Return one photograph for each animal in a data set's folder.

    Raises:
        CommandError: there is no metadata.csv, or no picture has an identity.
    """
    if not (folder / METADATA).is_file():
        raise CommandError(
            f"{folder / METADATA} does not exist; evaluation needs labels: a file with the columns "
            "path,identity and, if you have them, species,viewpoint,date,sequence"
        )
    found = decodable(read_catalogue([folder]).first(limit))
    show_notes(found)
    animals = photographs.single(found.photographs)
    named = {name for animal in animals for name in animal.identities} - {"", "unknown"}
    if not named:
        raise CommandError(
            f"no picture of {folder} has an identity; fill that column of {METADATA}"
        )
    if len(named) == 1:
        raise CommandError(
            f"all labelled pictures of {folder} show one individual, {named.pop()}; telling "
            "individuals apart takes two" + (" (--limit took the first ones)" if limit else "")
        )
    return animals


def _split(task: Task, animals: Sequence[Photograph]) -> Split:
    try:
        return splits.split(task.split, animals, task.seed)
    except SplitError as error:
        raise CommandError(f"{task.folder}: {error}") from error


def _fitted(
    task: Task, animals: Sequence[Photograph], split: Split, conditions: Conditions
) -> Calibration:
    """Return a calibration of the gallery alone."""
    if task.model != ADAPTED:
        chosen = sample(split.gallery, task.fitting_pictures, task.seed)
        with _served(task, _model(task, animals, ())) as through:
            return fitted(_asked(animals, split, chosen, through, conditions), task.false_known)
    individuals = {index: individual_of(animals[index]) for index in split.gallery}
    asked: list[QueryResult] = []
    for turn in folds(individuals, task.fitting_pictures, FOLDS, task.seed):
        with _served(task, _model(task, animals, turn.learnt)) as through:
            answers = _asked(animals, split, turn.new + turn.known, through, conditions)
        new = {str(animals[index].path) for index in turn.new}
        asked += [
            each.with_calibration_role("new" if each.subject.source in new else "known")
            for each in answers
        ]
    # Of arrivals in order the later half is asked; here all met the same gallery.
    return fitted(sample(asked, len(asked), task.seed), task.false_known)


def _asked(
    animals: Sequence[Photograph],
    split: Split,
    chosen: Sequence[int],
    through: Handlers,
    conditions: Conditions,
) -> list[QueryResult]:
    sources = frozenset(str(animals[index].path) for index in chosen)
    gallery = _captures(animals, split.gallery, "embedding the gallery")
    return fitting_queries(gallery, sources, through, conditions, _watch)


@contextmanager
def _served(task: Task, model: Path) -> Iterator[Handlers]:
    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder)
        settings = task.cutting, task.matching
        with cached_handlers(gallery, task.cache, model, *settings) as through:
            yield through


def _model(task: Task, animals: Sequence[Photograph], learnt: Sequence[int]) -> Path:
    """Return the encoder's file; one that is adapted knows what was `learnt` and no more."""
    folder = task.cache / "models"
    if task.model != ADAPTED:
        return model_file(task.model, folder)
    try:
        # The embedder has to find the animals that the model is to see alone.
        input_view: InputView | None = None if task.cutting.segmenter == "u2netp" else "crop"
        with _counted("adapting the model") as progress:
            return adapted_file([animals[index] for index in learnt], folder, progress, input_view)
    except TrainingError as error:
        raise CommandError(
            f"the default model can't be adapted to the gallery: {error}; take more pictures, or "
            "a model as it is, such as --model efficientnet_lite0"
        ) from error


def _captures(
    animals: Sequence[Photograph], chosen: Sequence[int], what: str
) -> Iterable[LabelledCapture]:
    return _watch((labelled_capture(animals[index]) for index in chosen), what, len(chosen))


@contextmanager
def _counted(what: str) -> Iterator[Callable[[str, int, int], None]]:
    with Progress(console=notes, transient=True, disable=not notes.is_terminal) as progress:
        row = progress.add_task(what)
        yield lambda _stage, done, total: progress.update(row, completed=done, total=total)


def _watch(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    yield from track(
        items, what, total=total, console=notes, transient=True, disable=not notes.is_terminal
    )


def _warn(found: Evaluation, asked_for: float, given: Calibration | None) -> None:
    """Tell what the numbers must be read with."""
    guarantee = found.curve(found.asked[0]).guarantee
    if guarantee is None:
        note("the calibration has no guaranteed thresholds")
    elif guarantee.false_known > asked_for:
        note(
            f"the gallery's {guarantee.individuals} individuals are too few to guarantee that at "
            f"most {asked_for:g} of new animals are called known; "
            f"{guarantee.false_known:.3f} is guaranteed"
        )
    for model in given.unseen_models(found.asked[0].matches) if given else ():
        note(
            f"the calibration {found.calibration.title} was not fitted on the {model.role} "
            f"{model.name}; its probabilities may mean little"
        )
