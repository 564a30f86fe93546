"""The two commands as a person and as the worker call them: in a process of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from offload.engines.poses import Poses, posed_image, read_poses, write_poses
from offload.wire.bundle import CameraModel, FrameEntry, Manifest, MatSpec, StoredFile
from offload.wire.products import ReconstructionReport

SIZE_PX = (320, 240)
K = np.array([[600.0, 0, 159.5], [0, 600, 119.5], [0, 0, 1]])
SEMI_AXES_M = np.array([0.030, 0.020, 0.025])


def offload(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=240, check=False)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "offload", *map(str, arguments)]


def ellipsoid_photo(R: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A spotted ellipsoid before black, by exact rays."""
    columns, rows = np.meshgrid(np.arange(SIZE_PX[0]), np.arange(SIZE_PX[1]))
    rays = np.stack([(columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1], np.ones(columns.shape)], axis=-1)
    world, eye = (rays @ R) / SEMI_AXES_M, (-R.T @ t) / SEMI_AXES_M
    a, b, c = (world * world).sum(-1), world @ eye, eye @ eye - 1
    root = b * b - a * c
    hit = root > 0
    place = (eye + world * ((-b - np.sqrt(np.maximum(root, 0))) / a)[..., None])[hit]
    spots = np.stack([np.sin(place @ np.array(k)) for k in ([19, 3, 8], [5, 21, -4], [-7, 6, 17], [9, -11, 13])])
    level = 140 + 25 * spots.sum(axis=0)
    photo = np.zeros((*hit.shape, 3))
    photo[hit] = level[:, None] * [0.8, 0.9, 1.0]
    noise = np.random.default_rng(0).normal(0, 1.0, photo.shape)
    return np.clip(cv2.GaussianBlur(photo, (0, 0), 0.5) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four photos on a ring, and `poses.json` beside them."""
    folder = tmp_path_factory.mktemp("posed") / "photos"
    folder.mkdir()
    images = []
    for index, azimuth in enumerate(np.linspace(0, 2 * np.pi, 24, endpoint=False)):
        away = np.array([np.cos(azimuth) * np.cos(0.5), np.sin(azimuth) * np.cos(0.5), np.sin(0.5)])
        right = np.cross(-away, [0, 0, 1])
        right /= np.linalg.norm(right)
        R = np.stack([right, np.cross(-away, right), -away])
        t = -R @ (0.25 * away)
        cv2.imwrite(str(folder / f"{index:02d}.png"), ellipsoid_photo(R, t))
        images.append(posed_image(f"{index:02d}.png", K, R, t))
    write_poses(folder.parent / "poses.json", Poses(units="m", images=tuple(images)))
    return folder


def copied(photos: Path, to: Path) -> tuple[Path, Path]:
    """A folder of photos of its own, and its poses file."""
    folder = to / "photos"
    folder.mkdir()
    for path in photos.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    poses = to / "poses.json"
    poses.write_bytes((photos.parent / "poses.json").read_bytes())
    return folder, poses


def assert_refused(done: subprocess.CompletedProcess[str], out: Path, *said: str) -> None:
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("offload reconstruct")]
    assert len(told) == 1, done.stderr
    for words in said:
        assert words in told[0]
    assert not out.exists()
    assert list(out.parent.glob(".*draft*")) == []


@pytest.mark.slow
def test_posed_photos_become_a_closed_model_of_the_right_size(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = offload(
        "reconstruct", photos, "--poses", photos.parent / "poses.json", "--out", out, "--json",
        "--texture-px", 512, "--triangles", 5000, "--voxel", 0.0006,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = ReconstructionReport.model_validate_json(done.stdout)
    assert report == ReconstructionReport.model_validate_json((out / "report.json").read_bytes())
    assert (report.photos_used, report.units, report.watertight) == (24, "m", True)
    assert list(report.size) == pytest.approx(list(2 * SEMI_AXES_M), rel=0.1), "seen from above only"
    assert all((out / name).stat().st_size > 0 for name in report.files)
    x, y, z = 2 * SEMI_AXES_M
    glb = trimesh.load(out / "model.glb", force="mesh")
    assert np.ptp(glb.bounds, axis=0) == pytest.approx([x, z, y], rel=0.1), "metres, Y up"
    assert len(read_poses(out / "poses.json", photos).images) == 24
    assert list(tmp_path.iterdir()) == [out], "nothing else is left"


@pytest.mark.slow
@pytest.mark.data
def test_the_real_dinosaur_is_closed_and_as_large_as_its_published_box(tmp_path: Path) -> None:
    data = Path(os.environ.get("SCANNERD_TEST_DATA", "../shared/data")) / "middlebury_dino_ring"
    if not (data / "dino_par.txt").is_file():
        pytest.skip(f"NO TEST DATA: {data} is absent, see docs/test-data.md")
    done = offload("reconstruct", data, "--poses", data / "dino_par.txt", "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    report = ReconstructionReport.model_validate_json(done.stdout)
    assert report.watertight
    assert report.photos_used == 48
    assert list(report.size) == pytest.approx([0.0728, 0.0871, 0.0733], abs=0.004)


def test_empty_folder(photos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = offload("reconstruct", empty, "--poses", photos.parent / "poses.json", "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", str(empty), "empty", "24 photos")


def test_missing_photo(photos: Path, tmp_path: Path) -> None:
    folder, poses = copied(photos, tmp_path)
    (folder / "07.png").unlink()
    assert_refused(
        offload("reconstruct", folder, "--poses", poses, "--out", tmp_path / "out"), tmp_path / "out", "07.png"
    )


def test_truncated_photo(photos: Path, tmp_path: Path) -> None:
    folder, poses = copied(photos, tmp_path)
    whole = (folder / "03.png").read_bytes()
    (folder / "03.png").write_bytes(whole[: len(whole) // 2])
    done = offload("reconstruct", folder, "--poses", poses, "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", "03.png", "truncated")


def test_nonsensical_poses_are_refused(photos: Path, tmp_path: Path) -> None:
    folder, poses = copied(photos, tmp_path)
    told = json.loads(poses.read_text())
    for image in told["images"]:
        image["t"] = [0.0, 0.0, -500.0]
    poses.write_text(json.dumps(told))
    done = offload("reconstruct", folder, "--poses", poses, "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", "no common space")


def test_a_place_that_cannot_be_written(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = offload("reconstruct", photos, "--poses", photos.parent / "poses.json", "--out", tmp_path / "file" / "out")
    assert done.returncode == 1
    assert "nothing can be written there" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_sizes(photos: Path, tmp_path: Path) -> None:
    folder, poses = copied(photos, tmp_path)
    cv2.imwrite(str(folder / "05.png"), cv2.resize(cv2.imread(str(folder / "05.png")), (300, 240)))
    done = offload("reconstruct", folder, "--poses", poses, "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", "05.png", "300x240", "320x240")


def test_malformed_poses(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "poses.json").write_text('{"format": "scannerd-poses/1", "images": [')
    done = offload("reconstruct", photos, "--poses", tmp_path / "poses.json", "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", "poses.json")


def test_black_photos(photos: Path, tmp_path: Path) -> None:
    folder, poses = copied(photos, tmp_path)
    for path in folder.glob("*.png"):
        cv2.imwrite(str(path), np.zeros((240, 320, 3), np.uint8))
    done = offload("reconstruct", folder, "--poses", poses, "--out", tmp_path / "out")
    assert_refused(done, tmp_path / "out", "0 of 24")


def test_an_occupied_folder_is_left_alone(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    done = offload("reconstruct", photos, "--poses", photos.parent / "poses.json", "--out", out)
    assert done.returncode != 0
    assert "not empty" in done.stderr
    assert [path.name for path in out.iterdir()] == ["precious.txt"]


def test_a_signal_leaves_nothing(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = command("reconstruct", photos, "--poses", photos.parent / "poses.json", "--out", out)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "mask" not in (line := process.stderr.readline()):
            assert line, "it ended before it began to mask"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "SIGTERM" in told
    assert list(tmp_path.iterdir()) == []


def sealed_scan(folder: Path, mat: MatSpec | None) -> Path:
    """Six photos of a grey wall, sealed as a scan."""
    frames = []
    for index in range(6):
        photo = np.full((240, 320, 3), 120 + index, np.uint8)
        data = cv2.imencode(".jpg", photo)[1].tobytes()
        (folder / f"{index:04d}.jpg").write_bytes(data)
        stored = StoredFile(name=f"{index:04d}.jpg", sha256=sha256(data).hexdigest(), size_bytes=len(data))
        frames.append(
            FrameEntry(
                index=index,
                angle_deg=60.0 * index,
                file=stored,
                exposure_us=1e4,
                analogue_gain=1.0,
                taken_at=datetime(2025, 1, 1, tzinfo=UTC),
            )
        )
    manifest = Manifest(
        scan_id="wall", created_at=datetime(2025, 1, 1, tzinfo=UTC), device="test",
        camera=CameraModel(make="m", model="c", focal_length_mm=9, pixel_pitch_um=15),
        photo_width_px=320, photo_height_px=240, mat=mat, frames=tuple(frames),
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(manifest.canonical_bytes())
    return folder


MAT = MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5)


def assert_bad_input(done: subprocess.CompletedProcess[str], out: Path, said: str) -> None:
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["bad_input"] is True
    assert said in last["error"]
    assert said in done.stderr
    assert not out.exists()


def test_a_scan_without_a_visible_mat_says_who_saw_what(tmp_path: Path) -> None:
    done = offload("reconstruct-bundle", sealed_scan(tmp_path, MAT), "--out", tmp_path / "out")
    assert_bad_input(done, tmp_path / "out", "0003.jpg 0")
    first = json.loads(done.stdout.splitlines()[0])
    assert set(first) == {"stage", "fraction", "percent"}
    assert first["stage"] == "read"


def test_a_scan_that_names_no_mat(tmp_path: Path) -> None:
    done = offload("reconstruct-bundle", sealed_scan(tmp_path, None), "--out", tmp_path / "out")
    assert_bad_input(done, tmp_path / "out", "no mat")


def test_a_photo_that_is_not_the_sealed_one(tmp_path: Path) -> None:
    folder = sealed_scan(tmp_path, MAT)
    data = bytearray((folder / "0002.jpg").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (folder / "0002.jpg").write_bytes(bytes(data))
    done = offload("reconstruct-bundle", folder, "--out", tmp_path / "out")
    assert_bad_input(done, tmp_path / "out", "0002.jpg: its SHA-256")


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    done = offload("reconstruct-bundle", tmp_path, "--out", tmp_path / "out")
    assert_bad_input(done, tmp_path / "out", "no manifest.json")


def test_the_engine_dies_with_its_parent(photos: Path, tmp_path: Path) -> None:
    """A parent that is killed takes the engine along, though nobody tells it."""
    scan = sealed_scan(tmp_path, MAT)
    os.mkfifo(scan / "slow.jpg")
    text = (scan / "manifest.json").read_text().replace('"0000.jpg"', '"slow.jpg"')
    (scan / "manifest.json").write_text(text)
    parent_code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({command('reconstruct-bundle', scan, '--out', tmp_path / 'out')!r},"
        " stdout=subprocess.PIPE, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())
        parent.kill()
    deadline_s = time.monotonic() + 60
    while _lives(child_pid):
        assert time.monotonic() < deadline_s, "the engine outlived its parent"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_help_and_unknown_commands() -> None:
    shown = offload("--help")
    assert shown.returncode == 0
    for name in ("serve", "work", "sync", "reconstruct", "reconstruct-bundle"):
        assert name in shown.stdout
    wrong = offload("recontsruct")
    assert wrong.returncode == 2
    assert "no command 'recontsruct'" in wrong.stderr


def test_a_missing_extra_is_told(tmp_path: Path) -> None:
    """Where numba is not installed, the command says what to install."""
    (tmp_path / "numba.py").write_text("raise ModuleNotFoundError(\"No module named 'numba'\", name='numba')\n")
    path = os.pathsep.join([str(tmp_path), str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command("reconstruct", "--help"), env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "needs numba" in done.stderr
    assert "scannerd[cloud]" in done.stderr
