"""The bench beneath the production drivers, with a picture source that costs nothing."""

from collections.abc import Iterator

import pytest

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench


@pytest.fixture
def card() -> GreyCard:
    return GreyCard()


@pytest.fixture
def bench(card: GreyCard) -> Iterator[Bench]:
    with install_bench(card) as installed:
        yield installed


@pytest.fixture
def fast_bench(card: GreyCard) -> Iterator[Bench]:
    with install_bench(card, speed=20) as installed:
        yield installed
