import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scannerd.store.durable import StoreFault, StoreFull, write_durably
from scannerd.store.journal import Journal, JournalBroken, JournalLine, replay


def written(path: Path, lines: int = 3) -> bytes:
    journal = Journal.create(path)
    for number in range(lines):
        journal.append("frame", index=number, note="Ü" * number)
    journal.close()
    return path.read_bytes()


def test_what_was_appended_is_replayed(tmp_path: Path) -> None:
    written(tmp_path / "journal.jsonl")
    lines, good_bytes = replay(tmp_path / "journal.jsonl")
    assert [(line.seq, line.type, line.body) for line in lines] == [
        (number, "frame", {"index": number, "note": "Ü" * number}) for number in range(3)
    ]
    assert good_bytes == (tmp_path / "journal.jsonl").stat().st_size


def test_a_last_line_torn_at_any_byte_costs_that_line_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = written(path)
    second_end = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    for torn_at in range(second_end, len(whole)):
        path.write_bytes(whole[:torn_at])
        heard: list[JournalLine] = []
        journal = Journal.open(path, hear=heard.append)
        assert [line.seq for line in heard] == [0, 1]
        assert path.read_bytes() == whole[:second_end], "what is torn is cut off before anything is appended"
        journal.append("frame", index=2)
        journal.close()
        lines, _ = replay(path)
        assert [line.seq for line in lines] == [0, 1, 2]


def test_a_last_line_of_garbage_with_its_newline_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = written(path)
    path.write_bytes(whole + b"\0" * 40 + b"\n")
    lines, good_bytes = replay(path)
    assert len(lines) == 3
    assert good_bytes == len(whole)


@pytest.mark.parametrize("damage", [b"garbage", b'{"seq": 7, "at": "", "type": "frame"}', b"[]", b""])
def test_damage_before_the_last_line_is_not_passed_over(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    lines = written(path).splitlines(keepends=True)
    path.write_bytes(lines[0] + damage + b"\n" + lines[2])
    with pytest.raises(JournalBroken, match="line 2 is not entry 1"):
        replay(path)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    torn = written(path)[:-5]
    path.write_bytes(torn)
    replay(path)
    assert path.read_bytes() == torn


def test_every_line_is_one_json_object_with_time_and_type(tmp_path: Path) -> None:
    for line in written(tmp_path / "journal.jsonl").splitlines():
        assert {"seq", "at", "type"} < set(json.loads(line))


def test_a_journal_that_is_not_there_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match=r"journal\.jsonl: cannot be read: No such file"):
        replay(tmp_path / "journal.jsonl")


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse, in the middle of a write, every byte beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room_bytes", range(0, 60, 7))
def test_a_line_that_the_disk_took_half_is_taken_back(tmp_path: Path, room_bytes: int) -> None:
    path = tmp_path / "journal.jsonl"
    whole = written(path)
    journal = Journal.open(path)
    with largest_file(len(whole) + room_bytes), pytest.raises(StoreFull, match="free some space, then resume"):
        journal.append("frame", index=3, note="x" * 50)
    assert path.read_bytes() == whole
    journal.append("frame", index=3)
    journal.close()
    assert [line.seq for line in replay(path)[0]] == [0, 1, 2, 3]


def test_a_photo_that_the_disk_took_half_was_never_there(tmp_path: Path) -> None:
    path = tmp_path / "0001.jpg"
    write_durably(path, b"old")
    with largest_file(1000), pytest.raises(StoreFull, match=r"0001\.jpg: 5000 bytes not written"):
        write_durably(path, b"n" * 5000)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
