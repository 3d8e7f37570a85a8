"""What the library's tests share: one thread, and masks that cannot be drawn."""

from collections.abc import Iterator

import pytest
import torch
from transformer_dropout.masks import Draw


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any random draw of the library an error."""

    def refuse(*_: object) -> None:
        raise AssertionError("random numbers were drawn")

    monkeypatch.setattr(Draw, "bits", refuse)
    monkeypatch.setattr(Draw, "uniform", refuse)
