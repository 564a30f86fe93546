"""When photos that look alike are worth a word."""

import numpy as np
from numpy.typing import NDArray

from scannerd.scan.sameness import SamenessWatch

HERE = (0, 0)


def photo(angle: int, noise_seed: int = 0) -> NDArray[np.uint8]:
    """A picture of its own for each angle, with the noise of a sensor."""
    blocks = np.random.default_rng(angle).uniform(60, 180, (12, 16))
    noise = np.random.default_rng(1000 + noise_seed).normal(0, 3, (240, 320))
    return np.asarray(np.clip(np.kron(blocks, np.ones((20, 20))) + noise, 0, 255), np.uint8)


def claims(angles: list[int], moved: bool = True) -> list[bool]:
    watch = SamenessWatch()
    return [watch.see(HERE, photo(angle, seed), moved=moved) for seed, angle in enumerate(angles)]


def test_photos_that_differed_and_do_not_any_more_are_told_once() -> None:
    assert claims([0, 1, 2, 3, 3, 3, 3]) == [False, False, False, False, False, True, False]


def test_one_like_its_neighbour_is_no_jam() -> None:
    assert not any(claims([0, 1, 2, 3, 3, 4, 4, 5]))


def test_what_always_looked_the_same_tells_nothing() -> None:
    assert not any(claims([7] * 10))
    assert not any(claims([7, 8, *[9] * 10]))


def test_a_platter_that_was_not_told_to_turn_is_not_jammed() -> None:
    assert not any(claims([0, 1, 2, 3, 3, 3, 3], moved=False))


def test_another_ring_begins_anew() -> None:
    watch = SamenessWatch()
    for angle in range(4):
        watch.see(HERE, photo(angle), moved=True)
    assert not any(watch.see((0, 1), photo(9), moved=True) for _ in range(4))
