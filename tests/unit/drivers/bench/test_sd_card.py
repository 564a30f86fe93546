"""A card beneath a folder: what durability costs, for whom, and that everything else is as ever."""

import os
import threading
from pathlib import Path

import pytest

from drivers.bench.bench_clock import BenchClock
from drivers.bench.sd_card import CARDS, PAGE_BYTES, CardMake, SdCard, card_named

EVEN = CardMake("even", write_mb_s=10.0, commit_s=0.05, spread=0.0, stall_share=0.0, stall_s=(0.0, 0.0))
MEGABYTE = 1_000_000
SPEED = 50.0


def write(path: Path, size_bytes: int, mode: str = "ab") -> None:
    with path.open(mode) as file:
        file.write(bytes(size_bytes))
        file.flush()
        os.fsync(file.fileno())


def test_an_fsync_takes_the_cards_time_for_the_bytes_that_are_new(tmp_path: Path) -> None:
    clock = BenchClock(SPEED)
    with SdCard(EVEN, clock, tmp_path) as card:
        began_s = clock.now_s()
        write(tmp_path / "photo.jpg", 5 * MEGABYTE)
        assert card.busy_s == pytest.approx(0.05 + 0.5)
        assert clock.now_s() - began_s >= card.busy_s
        write(tmp_path / "photo.jpg", MEGABYTE)
        assert card.bytes == 6 * MEGABYTE, "what was there already is not written again"
        write(tmp_path / "photo.jpg", 10, "wb")
        assert card.bytes == 6 * MEGABYTE + PAGE_BYTES, "less than a page is a page"


def test_a_folders_names_cost_a_commit(tmp_path: Path) -> None:
    with SdCard(EVEN, BenchClock(SPEED), tmp_path) as card:
        folder = os.open(tmp_path, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    assert (card.syncs, card.bytes) == (1, PAGE_BYTES)


def test_other_folders_and_later_files_know_nothing_of_it(tmp_path: Path) -> None:
    kernel = os.fsync
    (tmp_path / "card").mkdir()
    with SdCard(EVEN, BenchClock(SPEED), tmp_path / "card") as card:
        write(tmp_path / "elsewhere", MEGABYTE)
        assert os.fsync is not kernel
    assert card.syncs == 0
    assert os.fsync is kernel


def test_a_card_does_one_thing_at_a_time(tmp_path: Path) -> None:
    clock = BenchClock(SPEED)
    with SdCard(EVEN, clock, tmp_path) as card:
        began_s = clock.now_s()
        writers = [threading.Thread(target=write, args=(tmp_path / f"{name}", MEGABYTE)) for name in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert clock.now_s() - began_s >= card.busy_s
    assert card.busy_s == pytest.approx(3 * 0.15)


def test_the_seed_decides_when_a_worn_card_stalls(tmp_path: Path) -> None:
    def times(seed: int) -> list[float]:
        card = SdCard(CARDS["worn"], BenchClock(), tmp_path, seed)
        return [card._commit_s() for _ in range(400)]

    assert times(1) == times(1)
    assert times(1) != times(2)
    stalls = [took_s for took_s in times(1) if took_s > 0.5]
    assert 4 <= len(stalls) <= 40


def test_better_cards_are_faster_in_everything() -> None:
    best, middle, worst = (card_named(name) for name in ("a1", "class10", "worn"))
    for one, other in ((best, middle), (middle, worst)):
        assert one.write_mb_s > other.write_mb_s
        assert one.commit_s < other.commit_s
        assert one.stall_share < other.stall_share
    with pytest.raises(ValueError, match="use a1, class10, worn"):
        card_named("floppy")
