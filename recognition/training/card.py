"""The model card of a trained model: what it is, its training data, its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.reading.catalogue import Photograph
from recognition.models.backbones import EmbeddingModel, version
from recognition.training.data.samples import individual_of
from recognition.training.data.training_data import NONE, TrainingData
from recognition.training.history import Epoch
from recognition.training.recipe import Recipe

# Of every model trained on labelled animals.
LIMITS = (
    "Only fit for the species it was trained on, seen by similar cameras.",
    "Not calibrated: run `resight calibrate` on pictures used for neither training nor validation "
    "before deciding with it.",
    "Its embeddings are not comparable with another model's or version's.",
)


@dataclass(frozen=True)
class ModelCard:
    """Contents of a card; `kept` is the epoch whose weights the model has."""

    model: EmbeddingModel
    recipe: Recipe
    training_data: TrainingData
    photographs: Sequence[Photograph]
    history: Sequence[Epoch]
    kept: Epoch


def card(subject: ModelCard) -> str:
    """Return the model card as Markdown."""
    return (
        "\n\n".join(
            (
                f"# {subject.model.name} {version(subject.model)}",
                "Embeds one animal's crop as 512 numbers of unit length; a larger cosine means "
                "more alike. Trained with `resight train`.",
                "## Model\n\n" + table(_model(subject)),
                "## Data\n\n" + table(_data(subject)),
                "## Numbers\n\n" + _numbers(subject),
                "## Limits\n\n" + _limits(subject),
            )
        )
        + "\n"
    )


def _model(subject: ModelCard) -> dict[str, object]:
    side = subject.model.input_size
    chosen = {
        name.replace("_", " "): value
        for name, value in subject.recipe.as_dict().items()
        if name not in ("backbone", "weights", "input_size")
    }
    return {
        "backbone": subject.model.name,
        "began with": subject.recipe.weights or "its published weights",
        "input": f"{side} × {side}, uint8 RGB",
        "outputs": "embedding, viewpoint" if subject.model.viewpoint_head else "embedding",
        "licence of the initial weights": subject.model.licence or "none: random or own",
        **chosen,
    }


def _data(subject: ModelCard) -> dict[str, object]:
    training_data = subject.training_data
    learnt = {each.picture for each in training_data.samples if not each.mirrored}
    shown = [subject.photographs[number] for number in sorted(learnt)]
    held_out = len(training_data.validation.queries) if training_data.validation else 0
    return {
        "species": ", ".join(sorted({each.species or "unspecified" for each in shown})),
        "training pictures": len(shown),
        "mirrored copies": len(training_data.samples) - len(shown),
        "individuals": len({individual_of(each) for each in shown}),
        "classes (coats)": training_data.classes,
        "validation pictures": f"{held_out} ({training_data.held_out} split)",
        "digest": training_data.digest,
    }


def _numbers(subject: ModelCard) -> str:
    kept = subject.kept
    lines = [f"Weights of epoch {kept.number} of {subject.recipe.epochs}."]
    if kept.r1 is not None:
        before = subject.history[0].r1
        lines.append(
            "R-1 of the held-out pictures, by embedding alone, without comparing left with right "
            f"flanks: {kept.r1:.3f}; before training {before:.3f}. The epoch was chosen by this "
            "number, so it is slightly optimistic."
        )
    if kept.viewpoint is not None:
        lines.append(f"Viewpoints of held-out pictures classified correctly: {kept.viewpoint:.3f}.")
    return "\n".join(lines) + "\n\n![learning curve](learning-curve.png)"


def _limits(subject: ModelCard) -> str:
    limits = [*LIMITS]
    if subject.training_data.held_out == NONE:
        limits.append("No picture was held out, so its accuracy is unknown.")
    if subject.training_data.held_out == "closed":
        limits.append(
            "Pictures of one encounter may be on both sides of the closed split, so the number "
            "above is optimistic."
        )
    return bullets(limits)


def bullets(items: Sequence[str]) -> str:
    """Return a list in Markdown."""
    return "\n".join(f"- {item}" for item in items)


def table(rows: dict[str, object]) -> str:
    """Return names and values as a table in Markdown."""
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])
