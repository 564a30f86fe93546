"""The journal as a queue: what counts, what waits, and what a retake, a loss or a recovery changes."""

import json
from datetime import UTC, datetime

import pytest

from offload.sync.outbox import BrokenScan, Outbox
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, StoredFile


def frame(index, mark="a"):
    return FrameEntry(
        index=index,
        angle_deg=index * 10,
        file=StoredFile(name=f"frames/{index:04d}.jpg", sha256=mark * 64, size_bytes=10),
        exposure_us=1000,
        analogue_gain=1,
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def line(kind, **body):
    return json.dumps({"seq": 0, "at": "2026-01-01T00:00:00+00:00", "type": kind, **body}) + "\n"


def frame_line(index, mark="a"):
    return line("frame", frame=frame(index, mark).model_dump(mode="json"))


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path)


def write(outbox, text, mode="a"):
    with (outbox.folder / "journal.jsonl").open(mode) as stream:
        stream.write(text)
    outbox.refresh()
    return [(file.name, file.sha256[0]) for file in outbox.wanted()]


def test_nothing_is_there_yet(outbox):
    outbox.refresh()
    assert outbox.wanted() == ()


def test_frames_come_in_as_they_are_journaled(outbox):
    assert write(outbox, line("begun") + frame_line(1)) == [("frames/0001.jpg", "a")]
    assert write(outbox, frame_line(0)) == [("frames/0000.jpg", "a"), ("frames/0001.jpg", "a")]


def test_what_is_known_of_a_photo_travels_with_it(outbox):
    mask = StoredFile(name="frames/0000.mask.png", sha256="d" * 64, size_bytes=3)
    entry = frame(0).model_copy(update={"sidecars": (mask,)})
    text = line("frame", frame=entry.model_dump(mode="json"))
    assert write(outbox, text) == [("frames/0000.jpg", "a"), ("frames/0000.mask.png", "d")]


def test_a_torn_line_waits_for_its_end(outbox):
    text = frame_line(0)
    assert write(outbox, text[:40]) == []
    assert write(outbox, text[40:]) == [("frames/0000.jpg", "a")]


def test_a_torn_line_that_a_recovery_cut_off_leaves_nothing(outbox):
    whole = frame_line(0)
    write(outbox, whole + frame_line(1)[:30])
    assert write(outbox, whole, mode="w") == [("frames/0000.jpg", "a")]
    assert write(outbox, frame_line(1, "b")) == [("frames/0000.jpg", "a"), ("frames/0001.jpg", "b")]


def test_a_journal_cut_below_what_was_read_is_read_anew(outbox):
    write(outbox, frame_line(0) + frame_line(1))
    assert write(outbox, frame_line(0, "c"), mode="w") == [("frames/0000.jpg", "c")]


def test_a_retake_replaces_and_a_loss_removes(outbox):
    write(outbox, frame_line(0) + frame_line(1))
    assert write(outbox, frame_line(0, "b") + line("lost", index=1)) == [("frames/0000.jpg", "b")]


def test_a_line_of_another_version_is_left_out(outbox):
    assert write(outbox, '{"type": "frame", "frame": {"index": 7}}\n[1]\nnonsense\n' + frame_line(0)) == [
        ("frames/0000.jpg", "a")
    ]


def test_the_seal_decides(outbox):
    write(outbox, frame_line(0) + frame_line(9))
    manifest = Manifest(
        scan_id="s",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        device="d",
        camera=CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=4),
        photo_width_px=64,
        photo_height_px=48,
        frames=(frame(0), frame(1, "b"), frame(2, "c")),
        background=StoredFile(name="background.jpg", sha256="d" * 64, size_bytes=5),
    )
    (outbox.folder / "manifest.json").write_bytes(manifest.canonical_bytes())
    outbox.refresh()
    assert outbox.manifest == manifest
    assert [file.sha256[0] for file in outbox.wanted()] == ["a", "b", "c", "d"]


def test_a_seal_that_is_none_is_told_with_its_file(outbox):
    (outbox.folder / "manifest.json").write_text('{"format": 3}')
    with pytest.raises(BrokenScan, match=r"manifest\.json: format"):
        outbox.refresh()
