"""Tests whether a model adapted to a stream's own clusters, without labels, is better.

The first half of each stream is replayed with a calibration of the other sets. Individuals of two
sightings or more without serious questions train the model, and held-out sightings decide whether
it is accepted. Then both models identify the second half's animals, by their true labels: an
accepted model should be better, a refused one worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from catalogue.publishing.captures import sightings
from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import single
from recognition.bootstrap import bootstrap_difference
from recognition.data.labelled_folder import labelled_capture
from recognition.data.labelled_stream import MatchedSighting
from recognition.defaults import ADAPTED_BACKBONE
from recognition.models import backbones
from recognition.models.backbones import EmbeddingModel
from recognition.replay.session import replay_registry
from recognition.replay.stream import replay_sightings
from recognition.training.adaptation import adaptation
from recognition.training.data.crops import decode
from recognition.training.data.validation_queries import build_queries
from recognition.training.recipe import TrainingError
from resight.ledger_tools.confident_individuals import confident_individuals
from services.registry.calibration.calibration import Calibration
from shared.foreground.u2netp import u2netp

BATCH = 32


@dataclass(frozen=True)
class Halves:
    """The pictures of a stream's first half with their clusters as labels, and of the second."""

    pseudo_labelled: tuple[Photograph, ...]
    second: tuple[Photograph, ...]


def self_adaptation(
    photographs: Sequence[Photograph], seen: Sequence[MatchedSighting], calibration: Calibration
) -> dict[str, Any]:
    """Return whether the adapted model is accepted, and R-1 of the second half with both models."""
    halves = _halves(photographs, seen, calibration)
    labels = len({each.identities for each in halves.pseudo_labelled})
    told: dict[str, Any] = {"taught_by": len(halves.pseudo_labelled), "individuals": labels}
    try:
        adapted = adaptation.adapt(halves.pseudo_labelled)
    except TrainingError as error:
        return {**told, "taken": False, "why": str(error)}
    questions = range(len(halves.second))
    asked = build_queries(halves.second, questions, questions)
    before = asked.right(_embeddings(backbones.build(ADAPTED_BACKBONE), halves.second, "crop"))
    after = asked.right(_embeddings(adapted.model, halves.second, adapted.input_view))
    gain = bootstrap_difference(after, before, seed=0)
    return {
        **told,
        "taken": adapted.better,
        "sees": adapted.input_view,
        "believed_r1": [adapted.r1_before, adapted.r1],
        "second_half_r1": [round(float(before.mean()), 4), round(float(after.mean()), 4)],
        "second_half_gain": [round(gain.low, 4), round(gain.high, 4)],
    }


def _halves(
    photographs: Sequence[Photograph], seen: Sequence[MatchedSighting], calibration: Calibration
) -> Halves:
    pictures = _by_sighting(photographs)
    first = seen[: len(seen) // 2]
    with replay_registry(calibration) as on:
        for _ in replay_sightings(first, on.registry):
            pass
        pseudo_labelled = []
        for gallery in on.ledger.galleries():
            for individual, members in confident_individuals(on.ledger, gallery).items():
                if len(members) > 1:
                    pseudo_labelled += [
                        replace(pictures[name], identities=(individual,)) for name in members
                    ]
    rest = [pictures[each.matches.query.sighting_id] for each in seen[len(seen) // 2 :]]
    return Halves(tuple(pseudo_labelled), tuple(rest))


def _by_sighting(photographs: Sequence[Photograph]) -> Mapping[str, Photograph]:
    return {
        name: alone
        for photograph in photographs
        for name, alone in zip(
            sightings(labelled_capture(photograph).capture), single([photograph]), strict=True
        )
    }


def _embeddings(
    model: EmbeddingModel, photographs: Sequence[Photograph], input_view: adaptation.InputView
) -> NDArray[np.float32]:
    segmenter = u2netp() if input_view == "animal" else None
    found = []
    with torch.inference_mode():
        for start in range(0, len(photographs), BATCH):
            shown = photographs[start : start + BATCH]
            crops = decode(shown, model.input_size, segmenter, alone=True)
            found.append(model.embed(torch.from_numpy(crops.exact)).numpy())
    return np.concatenate(found)
