from pathlib import Path

import pytest

from drivers.camera_memory import Memory, buffer_bytes, buffers_that_fit, this_memory
from drivers.sensors import SENSORS

HQ_PX = SENSORS["imx477"].full_size_px
PI_ZERO_2_W = Memory(total_bytes=427 << 20, contiguous_bytes=256 << 20)
PI_4 = Memory(total_bytes=3794 << 20, contiguous_bytes=512 << 20)
PI_5 = Memory(total_bytes=8059 << 20, contiguous_bytes=None)


@pytest.mark.parametrize(
    ("memory", "size_px", "count"),
    [(PI_ZERO_2_W, HQ_PX, 2), (PI_ZERO_2_W, (1600, 1200), 4), (PI_4, HQ_PX, 4), (PI_5, (9152, 6944), 4)],
)
def test_as_many_frames_are_in_flight_as_fit(memory: Memory, size_px: tuple[int, int], count: int) -> None:
    assert buffers_that_fit(size_px, HQ_PX, memory) == count
    assert count * buffer_bytes(*size_px) < memory.total_bytes / 8


@pytest.mark.parametrize(
    ("memory", "size_px", "count"), [(PI_ZERO_2_W, HQ_PX, 2), (PI_ZERO_2_W, (1600, 1200), 2), (PI_4, HQ_PX, 4)]
)
def test_raw_frames_count_among_what_is_in_flight(memory: Memory, size_px: tuple[int, int], count: int) -> None:
    assert buffers_that_fit(size_px, HQ_PX, memory, keeps_raw=True) == count
    raw_bytes = HQ_PX[0] * HQ_PX[1] * 3 // 2
    pipeline_bytes = max(2, 4 - count) * raw_bytes
    assert memory.contiguous_bytes is not None
    assert count * (buffer_bytes(*size_px) + raw_bytes) + pipeline_bytes < memory.contiguous_bytes


def test_never_fewer_than_two_are_asked_for() -> None:
    hawkeye_px = SENSORS["arducam_64mp"].full_size_px
    assert buffers_that_fit(hawkeye_px, hawkeye_px, PI_ZERO_2_W) == 2


def test_a_buffer_is_a_photo_and_its_companion() -> None:
    assert buffer_bytes(4056, 3040) == 4056 * 3040 * 3 // 2 + 1014 * 760 * 3 // 2


def test_the_kernel_says_what_there_is(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  437000 kB\nMemFree: 1 kB\nCmaTotal:  262144 kB\nCmaFree:  204800 kB\n")
    assert this_memory(meminfo) == Memory(437_000 * 1024, 262_144 * 1024)
    meminfo.write_text("MemTotal:  8000000 kB\n")
    assert this_memory(meminfo) == Memory(8_000_000 * 1024, None)
    assert this_memory().total_bytes > 1 << 27
