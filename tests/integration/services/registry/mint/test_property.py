"""However messages are delayed, repeated and reordered, one animal is one individual."""

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.ledger.audit import check
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import CandidateList, Enrolment, Matches
from tests.support.queries import evidence, ledger_at, matched, matches, registry, sighting

GALLERIES = (f"default/herd-{number}" for number in itertools.count())
ANIMALS = "xyz"
NO_WAIT = RegistrySettings(leased_wait_seconds=0)


class _Pipeline:
    """Two registries, a matcher that is always right, and a lookup that lags at will."""

    def __init__(self, url: str, gallery: str) -> None:
        self.ledger = ledger_at(url)
        self._replicas = [registry(ledger_at(url), NO_WAIT) for _ in range(2)]
        self._gallery = gallery
        self._enrolled: dict[int, str] = {}
        self.waiting: list[Matches] = []

    def see(self, name: str, lag: int) -> None:
        """Look a sighting up, `lag` enrolments late, and match it."""
        watermark = max(0, len(self._enrolled) - lag)
        found = [
            evidence(other, same=other[0] == name[0])
            for number, other in self._enrolled.items()
            if number <= watermark
        ]
        query = sighting(name, gallery=self._gallery)
        self.waiting.append(matches(query, found, watermark=watermark))

    def deliver(self, index: int, replica: int, *, again: bool) -> None:
        """Let a registry handle one waiting message; `again`: it will come once more."""
        message = self.waiting[index] if again else self.waiting.pop(index)
        (result,) = self._replicas[replica].handle([message])
        assert not isinstance(result, Poison)
        for output in result:
            if isinstance(output, Enrolment):
                self._enrolled[output.number] = output.sighting_id
            if isinstance(output, CandidateList):
                animal = output.query.sighting_id[0]
                same = {
                    item.sighting_id
                    for item in output.candidates
                    if item.sighting_id.startswith(animal)
                }
                self.waiting.append(matched(output, same))


arrivals = st.lists(st.tuples(st.sampled_from(ANIMALS), st.integers(0, 4)), min_size=1, max_size=12)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(arrivals=arrivals, data=st.data())
def test_every_animal_ends_as_one_individual(
    ledger_url: str, arrivals: list[tuple[str, int]], data: st.DataObject
) -> None:
    gallery = next(GALLERIES)
    pipeline = _Pipeline(ledger_url, gallery)
    coming = [(f"{animal}{number}", lag) for number, (animal, lag) in enumerate(arrivals)]
    for _ in range(3 * len(arrivals)):
        arrives: bool = data.draw(st.booleans())
        if coming and arrives:
            pipeline.see(*coming.pop(0))
        elif pipeline.waiting:
            index = data.draw(st.integers(0, len(pipeline.waiting) - 1))
            pipeline.deliver(index, data.draw(st.integers(0, 1)), again=data.draw(st.booleans()))
    for name, lag in coming:
        pipeline.see(name, lag)
    rounds = 0
    while pipeline.waiting:  # the rest as it comes
        pipeline.deliver(0, rounds % 2, again=False)
        rounds += 1
        assert rounds < 2000

    assert check(pipeline.ledger, gallery) == []
    groups = pipeline.ledger.individuals(gallery).values()
    assert [len({name[0] for name in group}) for group in groups] == [1] * len(groups)
    assert len(groups) == len({animal for animal, _ in arrivals})
