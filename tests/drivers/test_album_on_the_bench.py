"""Pictures from an album through the real driver: true, and without stopping the bench's clock."""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drivers import registry
from drivers.bench.album.album import Album
from drivers.bench.album.album_process import AlbumProcess
from drivers.bench.album.spec import AlbumSpec, Kind
from drivers.bench.install import Bench, install_bench
from drivers.bench.mat_picture import charuco_mat
from drivers.bench.renderer import Renderer
from drivers.bench.rim import rim_px_per_deg
from drivers.bench.scene import Exposure, Scene, SceneObject
from drivers.options import Picamera2Options, StepperGpioOptions
from drivers.picture import Planes
from drivers.stepper_gpio import StepperGpio

SPEC = AlbumSpec(views=3, width_px=320, height_px=240, small_width_px=160, small_height_px=120, pictures_px=320)
MEAN_OFF_LEVELS = 1.5
"""What noise alone makes of two pictures of the same thing."""


def tetrahedron() -> SceneObject:
    vertices_mm = np.array([[45, 0, 0], [-30, 36, 0], [-30, -36, 0], [0, 0, 75]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.uint32)
    return SceneObject(vertices_mm, faces, vertex_colours=np.full((4, 3), 0.5, np.float32), height_mm=75)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(tetrahedron(), charuco_mat())


@pytest.fixture(scope="module")
def album_folder(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("albums")
    (folder / "scene.pickle").write_bytes(pickle.dumps(scene))
    with AlbumProcess(folder / "scene.pickle", folder, SPEC) as album:
        told = list(album.fill())
        assert told[-1] == (33, 33)
        assert list(album.fill()) == []
    return folder


@pytest.fixture
def album(album_folder: Path) -> Iterator[AlbumProcess]:
    with AlbumProcess(album_folder / "scene.pickle", album_folder, SPEC) as album:
        yield album


@pytest.fixture
def bench(album: AlbumProcess) -> Iterator[Bench]:
    with install_bench(album) as bench:
        album.stop_world = bench.clock.paused
        yield bench


def off_levels(seen: Planes, rendered: np.ndarray) -> float:
    return float(np.abs(seen.y.astype(int) - Planes.from_rgb(rendered).y.astype(int)).mean())


async def test_a_photo_shows_the_platter_where_the_pulses_turned_it(album, bench, scene):
    axis = StepperGpio(StepperGpioOptions(), bench.clock)
    camera = registry.camera_driver("picamera2")(Picamera2Options(320, 240, focal_length_mm=9.0))
    await camera.open()
    await axis.home()
    renderer = Renderer(scene)
    for angle_deg in (0.0, 120.0):
        await axis.move_to(angle_deg)
        await bench.clock.wait_until(bench.clock.now_s() + 1.0)
        before_s = bench.clock.now_s()
        frame = await camera.capture()
        assert bench.clock.now_s() > before_s
        true_deg = bench.angle_deg
        assert off_levels(frame.photo, renderer.render(Exposure(320, 240, (true_deg,)))) < MEAN_OFF_LEVELS
        assert off_levels(frame.small, renderer.render(Exposure(160, 120, (true_deg,)))) < MEAN_OFF_LEVELS
    assert album.rendered == 0
    await axis.move_to(121.0)
    await bench.clock.wait_until(bench.clock.now_s() + 1.0)
    lost = await camera.capture()
    assert album.rendered == 2
    assert off_levels(lost.photo, renderer.render(Exposure(320, 240, (bench.angle_deg,)))) < MEAN_OFF_LEVELS
    await axis.close()
    await camera.close()


def test_a_companion_shows_angles_between_its_pictures(album, scene):
    renderer = Renderer(scene)
    for angle_deg in (0.04, 0.075, -0.11, 120.2):
        exposure = Exposure(160, 120, (angle_deg,))
        true = renderer.render(exposure)
        shown = album.planes(exposure)
        there = off_levels(shown, true)
        beside = off_levels(shown, renderer.render(replace(exposure, platter_angles_deg=(angle_deg + 0.6,))))
        assert there < MEAN_OFF_LEVELS
        assert there < beside
    assert album.rendered == 0


def test_what_the_album_does_not_have_is_rendered_while_the_world_stands(album, bench, scene):
    empty = Exposure(320, 240, (0.0,), object_present=False)
    stopped = []

    def stop():
        stopped.append(True)
        return bench.clock.paused()

    album.stop_world = stop
    shown = album.planes(empty)
    assert stopped == [True]
    assert off_levels(shown, Renderer(scene).render(empty)) < MEAN_OFF_LEVELS
    with pytest.raises(ValueError, match="not 640x480"):
        album.planes(Exposure(640, 480, (0.0,)))


def test_an_album_left_half_way_goes_on(album_folder, scene, tmp_path):
    (tmp_path / "scene.pickle").write_bytes((album_folder / "scene.pickle").read_bytes())
    with AlbumProcess(tmp_path / "scene.pickle", tmp_path, SPEC) as album:
        assert next(iter(album.fill())) == (1, 33)
    with AlbumProcess(tmp_path / "scene.pickle", tmp_path, SPEC) as album:
        assert len(list(Album(album.folder, SPEC).missing())) == 32
        assert next(iter(album.fill())) == (2, 33)


def test_another_scene_or_size_is_another_album(scene, tmp_path):
    one, other = pickle.dumps(scene), pickle.dumps(replace(scene, light_seed=1))
    folders = {
        SPEC.folder(tmp_path, one),
        SPEC.folder(tmp_path, other),
        replace(SPEC, pictures_px=160).folder(tmp_path, one),
    }
    assert len(folders) == 3
    assert SPEC.folder(tmp_path, one) == replace(SPEC, views=7).folder(tmp_path, one)


def test_enlarged_photos_have_the_size_of_photos(scene, tmp_path):
    (tmp_path / "scene.pickle").write_bytes(pickle.dumps(scene))
    spec = replace(SPEC, pictures_px=160)
    with AlbumProcess(tmp_path / "scene.pickle", tmp_path, spec) as album:
        list(album.fill())
        seen = album.planes(Exposure(320, 240, (0.0,)))
        assert album.rendered == 0
    assert spec.rendered_px(Kind.STILL) == (160, 120)
    assert (seen.width_px, seen.height_px) == (320, 240)


def test_the_rim_of_a_known_object_moves_as_geometry_says(scene):
    camera = scene.camera
    fastest_mm = np.pi / 180 * 45
    px_per_mm = camera.focal_px_at_1600 * 4056 / 1600 / camera.distance_mm
    assert rim_px_per_deg(scene, 4056, 3040, 0.0) == pytest.approx(fastest_mm * px_per_mm, rel=0.15)
