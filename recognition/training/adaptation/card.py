"""The model card of an adapted model."""

from recognition.models.backbones import version
from recognition.training.adaptation.adaptation import Adapted
from recognition.training.card import LIMITS, bullets, table
from recognition.training.data.samples import individual_of
from recognition.training.data.training_data import NONE

INPUT_VIEWS = {"crop": "whole crops", "animal": "animals alone, cut out by U²-Netp"}


def card(adapted: Adapted) -> str:
    """Return the model card as Markdown."""
    model, shown = adapted.model, adapted.photographs
    facts = {
        "backbone": model.name,
        "input": f"{model.input_size} × {model.input_size}, uint8 RGB",
        "sees": INPUT_VIEWS[adapted.input_view],
        "licence of its weights": model.licence or "none: random or own",
        "species": ", ".join(sorted({each.species or "unspecified" for each in shown})),
        "training pictures": len(shown),
        "individuals": len({individual_of(each) for each in shown}),
        "digest": adapted.digest,
    }
    sections = (
        f"# {model.name} {version(model)}, adapted",
        "Embeds one animal's crop as 512 numbers of unit length; a larger cosine means more "
        "alike. Frozen features under a linear discriminant, made by `resight adapt`.",
        "## Model and data\n\n" + table(dict(facts)),
        "## Numbers\n\n" + _numbers(adapted),
        "## Limits\n\n" + bullets(LIMITS),
    )
    return "\n\n".join(sections) + "\n"


def _numbers(adapted: Adapted) -> str:
    if adapted.held_out == NONE:
        return "No picture was held out, so its accuracy is unknown."
    return (
        "R-1 by embedding alone, without comparing left with right flanks, of the "
        f"{adapted.examined} queries of the {adapted.held_out} split: {adapted.r1:.3f} with a "
        f"head trained without them, {adapted.r1_before:.3f} with an untrained one. This model "
        "was trained on them too."
    )
