"""Arrivals whose evidence is drawn from two distributions: no picture, no service."""

import numpy as np

from recognition.calibration.queries import CalibrationQuery
from recognition.data.labelled_stream import LabelledSighting
from shared.messages import DEPTH_LIGHTGLUE, Candidate, Evidence


def made_arrivals(
    individuals: int,
    pictures: int,
    seed: int = 0,
    shortlist: int = 8,
    *,
    name: str = "animal",
    inliers: tuple[float, float] = (10, 4),
) -> list[LabelledSighting]:
    """Return each animal's pictures in random order, each compared with some before it.

    `inliers`: about so many for the same animal, and for another one.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.repeat(np.arange(individuals), pictures))
    found = []
    for index, identity in enumerate(order):
        own = [before for before in range(index) if order[before] == identity]
        others = [before for before in range(index) if order[before] != identity]
        chosen = [*own, *rng.permutation(others)[: max(0, shortlist - len(own))]]
        members = {f"{name} picture {at}": f"{name} {order[at]}" for at in chosen}
        evidence = tuple(
            Evidence(
                candidate=Candidate(
                    sighting_id=f"{name} picture {at}",
                    enrolment_number=at + 1,
                    cosine=rng.uniform(),
                ),
                depth=DEPTH_LIGHTGLUE,
                inliers=int(rng.poisson(inliers[int(order[at] != identity)])),
            )
            for at in chosen
        )
        identified = f"{name} {identity}"
        found.append(LabelledSighting(identified, bool(own), evidence, members, number=index + 1))
    return found


def made_queries(
    individuals: int, seed: int = 0, alike: float = 0.9, known: float = 3.0
) -> list[CalibrationQuery]:
    """Return 1 to 30 queries of each individual, asked as new and as known ones.

    Log-odds are normal with mean 0 for new animals and `known` for known ones; of their
    variance `alike` is between individuals, so one animal's pictures err together.
    """
    rng = np.random.default_rng(seed)
    found = []
    for individual in range(individuals):
        kind = rng.normal(0, np.sqrt(alike))
        for _ in range(rng.integers(1, 31)):
            for mean, there in ((0.0, False), (known, True)):
                log_odds = mean + kind + rng.normal(0, np.sqrt(1 - alike))
                probability = float(1 / (1 + np.exp(-log_odds)))
                found.append(
                    CalibrationQuery(f"made/{individual}", probability, there, right=there)
                )
    return found
