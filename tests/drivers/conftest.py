"""The bench beneath the production drivers, with a picture source that costs nothing."""

from collections.abc import AsyncIterator, Iterator

import pytest
from bench_cameras import OPTIONS, STREAMS, build_camera

from drivers.bench.grey_card import GreyCard
from drivers.bench.install import Bench, install_bench
from drivers.protocols import Camera


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


@pytest.fixture(params=OPTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=STREAMS)
def stream_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def stream(bench: Bench, stream_kind: str) -> AsyncIterator[Camera]:
    opened = build_camera(stream_kind)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def camera(bench: Bench, kind: str) -> AsyncIterator[Camera]:
    opened = build_camera(kind)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def ribbon_camera(bench: Bench) -> AsyncIterator[Camera]:
    opened = build_camera()
    await opened.open()
    yield opened
    await opened.close()
