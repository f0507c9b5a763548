"""Every loss asks for what it is there for."""

import pytest
import torch

from recognition.training import losses
from recognition.training.recipe import LOSSES, Recipe, TrainingError


@pytest.mark.parametrize("name", LOSSES)
def test_a_few_steps_bring_equal_labels_together(name: str) -> None:
    torch.manual_seed(0)
    labels = torch.arange(4).repeat_interleave(4)
    free = torch.nn.Parameter(torch.randn(16, 512) / 512**0.5)
    loss = losses.build(name, 4)
    optimizer = torch.optim.AdamW([free, *loss.parameters()], lr=1e-2)

    def gap() -> float:
        with torch.no_grad():
            unit = torch.nn.functional.normalize(free)
            cosines, same = unit @ unit.T, labels[:, None] == labels
            others = same & ~torch.eye(16, dtype=torch.bool)
            return float(cosines[others].mean() - cosines[~same].mean())

    before = gap()
    for _ in range(60):
        optimizer.zero_grad()
        loss(torch.nn.functional.normalize(free), labels).backward()
        optimizer.step()
    assert gap() > before + 0.15


@pytest.mark.parametrize("name", ["softmax", "arcface", "subcenter"])
def test_proxies_begin_with_unit_length(name: str) -> None:
    [proxies] = losses.build(name, 7).parameters()
    assert proxies.shape[0] == 512
    assert torch.allclose(proxies.norm(dim=0), torch.ones(proxies.shape[1]))


def test_a_recipe_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TrainingError, match="loss is 'magic'; choose one of softmax, arcface"):
        Recipe(loss="magic")  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="flip is 'both'"):
        Recipe(flip="both")  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="epochs is 0"):
        Recipe(epochs=0)
    with pytest.raises(TrainingError, match="learning rate is -1"):
        Recipe(learning_rate=-1)
