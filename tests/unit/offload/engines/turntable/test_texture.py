import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from offload.engines.turntable.atlas import simplified, unwrap
from offload.engines.turntable.glb import write_glb
from offload.engines.turntable.mesh import examine_skin
from offload.engines.turntable.picture_of_model import Viewpoint, draw
from offload.engines.turntable.ply import write_ply
from offload.engines.turntable.preview import write_four_sides, write_preview
from offload.engines.turntable.texture import TexturedMesh, filled_from_around, textured, vertex_colours
from offload.engines.turntable.upright import to_gltf
from offload.engines.turntable.views import Mesh, ViewSet

RADIUS_MM = 40.0
CENTRE_MM = np.array([3.0, -2.0, 60.0])
SIZE_PX = 220
K = np.array([[700.0, 0, 109.5], [0, 700, 109.5], [0, 0, 1]])


class NeverCancelled:
    def raise_if_cancelled(self) -> None:
        return None


def ball() -> Mesh:
    sphere = trimesh.creation.icosphere(4, RADIUS_MM)
    return Mesh(np.asarray(sphere.vertices) + CENTRE_MM, np.asarray(sphere.faces, np.int32))


def paint(directions: np.ndarray) -> np.ndarray:
    """(n, 3) BGR of a unit direction from the ball's centre: smooth, and different everywhere."""
    return 128 + 100 * np.stack(
        [directions[:, 0], np.sin(3 * directions[:, 2]), directions[:, 1] * directions[:, 2]], axis=1
    )


def ring() -> ViewSet:
    """Eight views from 30 degrees above and eight from below, of exactly painted pictures."""
    poses, images, masks = [], [], []
    columns, rows = np.meshgrid(np.arange(SIZE_PX), np.arange(SIZE_PX))
    rays = np.stack([(columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1], np.ones(columns.shape)], axis=-1)
    for elevation in (0.5, -0.5):
        for azimuth in np.linspace(0, 2 * np.pi, 8, endpoint=False):
            away = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
            forward = -np.array(away)
            right = np.cross(forward, [0, 0, 1])
            right /= np.linalg.norm(right)
            R = np.stack([right, np.cross(forward, right), forward])
            eye = CENTRE_MM - 400 * forward
            world = rays @ R
            a, b = (world * world).sum(-1), world @ (eye - CENTRE_MM)
            root = b * b - a * (400**2 - RADIUS_MM**2)
            hit = root > 0
            reach = (-b - np.sqrt(np.maximum(root, 0))) / a
            place = (eye + world * reach[..., None] - CENTRE_MM) / RADIUS_MM
            picture = np.zeros((SIZE_PX, SIZE_PX, 3))
            picture[hit] = paint(place[hit])
            images.append(np.clip(picture + 0.5, 0, 255).astype(np.uint8))
            masks.append(hit.astype(np.uint8))
            poses.append((R, -R @ eye))
    return ViewSet(
        names=tuple(str(view) for view in range(16)),
        images=np.stack(images), masks=np.stack(masks), K=np.repeat(K[None], 16, 0),
        R=np.stack([R for R, _ in poses]), t=np.stack([t for _, t in poses]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def baked() -> TexturedMesh:
    return textured(ball(), ring(), 512, 3000, 1.0, NeverCancelled())


def test_baking_a_painted_ball_gives_its_paint_back(baked: TexturedMesh) -> None:
    corners = baked.mesh.faces
    middle = baked.mesh.vertices[corners].mean(axis=1) - CENTRE_MM
    expected = paint(middle / np.linalg.norm(middle, axis=1, keepdims=True))
    at = (baked.uv[corners].mean(axis=1) * baked.texture.shape[0]).astype(int)
    error = np.abs(baked.texture[at[:, 1], at[:, 0]] - expected)
    seen = np.abs(middle[:, 2]) < 0.9 * RADIUS_MM
    assert np.median(error[seen]) < 2
    assert np.percentile(error[seen], 99) < 12
    assert baked.seen_share > 0.9


def test_simplified_ball_stays_closed(baked: TexturedMesh) -> None:
    assert len(baked.closed.faces) == pytest.approx(3000, abs=50)
    assert examine_skin(baked.closed).watertight


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_atlas_does_not_depend_on_the_unit(size: float) -> None:
    small = Mesh(ball().vertices * size, ball().faces)
    light = simplified(small, 2000)
    assert examine_skin(light).watertight
    atlas = unwrap(light, 512)
    assert len(atlas.mesh.faces) == len(light.faces)
    a, b, c = (atlas.uv[atlas.mesh.faces[:, corner]] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (np.abs(area) > 0).all(), "every triangle has its place in the texture"


def test_vertex_colours_of_the_ball() -> None:
    skin = ball()
    colours = vertex_colours(skin, ring(), 1.0, NeverCancelled())
    expected = paint((skin.vertices - CENTRE_MM) / RADIUS_MM)
    side = np.abs(skin.vertices[:, 2] - CENTRE_MM[2]) < 0.8 * RADIUS_MM
    assert np.median(np.abs(colours - expected)[side]) < 2


def test_glb_is_in_metres_with_y_up_and_keeps_its_colours(baked: TexturedMesh, tmp_path: Path) -> None:
    path = tmp_path / "model.glb"
    write_glb(path, baked, to_gltf(np.array([0, 0, 1.0]), 1e-3), "test")
    loaded = trimesh.load(path, force="mesh")
    x, y, z = CENTRE_MM / 1000
    assert loaded.bounds.mean(axis=0) == pytest.approx([x, z, -y], abs=5e-4)
    assert np.ptp(loaded.bounds, axis=0) == pytest.approx(2 * RADIUS_MM / 1000, rel=0.02)
    assert loaded.volume > 0, "triangles face outwards"
    assert loaded.visual.material.baseColorTexture.size == (512, 512)
    direction = np.array([1.0, 0, 0])
    vertex = int(np.argmax((loaded.vertices - loaded.bounds.mean(axis=0)) @ direction))
    u, v = loaded.visual.uv[vertex]
    picture = np.asarray(loaded.visual.material.baseColorTexture.convert("RGB"))
    red, green, blue = picture[int((1 - v) * 511), int(u * 511)].astype(int)
    assert [blue, green, red] == pytest.approx(paint(direction[None])[0], abs=25)


def test_glb_is_laid_out_as_the_standard_asks(baked: TexturedMesh, tmp_path: Path) -> None:
    path = tmp_path / "model.glb"
    write_glb(path, baked, to_gltf(np.array([0, 0, 1.0]), 1e-3), "test")
    data = path.read_bytes()
    magic, version, length, text_length, kind = struct.unpack("<4sIIII", data[:20])
    assert (magic, version, length, kind) == (b"glTF", 2, len(data), 0x4E4F534A)
    document = json.loads(data[20 : 20 + text_length])
    assert text_length % 4 == 0
    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])
    assert document["images"][0]["mimeType"] == "image/jpeg"
    assert document["asset"]["extras"]["units"] == "metre"


def test_ply_keeps_millimetres_and_colours(tmp_path: Path) -> None:
    skin = ball()
    bgr = np.tile(np.array([10, 20, 30], np.uint8), (len(skin.vertices), 1))
    write_ply(tmp_path / "model.ply", skin, bgr, "mm")
    loaded = trimesh.load(tmp_path / "model.ply", process=False)
    assert loaded.vertices == pytest.approx(skin.vertices, abs=1e-4)
    assert np.asarray(loaded.visual.vertex_colors)[0, :3].tolist() == [30, 20, 10]
    assert loaded.is_watertight


def test_a_drawing_from_a_photos_place_looks_like_the_photo(baked: TexturedMesh) -> None:
    views = ring()
    at = Viewpoint(views.K[2], views.R[2], views.t[2], SIZE_PX, SIZE_PX)
    drawn = draw(baked, at, with_texture=True, shade=0.0)
    inside = cv2.erode(views.masks[2], np.ones((9, 9), np.uint8)) > 0
    assert np.median(np.abs(drawn.astype(int) - views.images[2])[inside]) < 4


def test_pictures_are_written(baked: TexturedMesh, tmp_path: Path) -> None:
    up = np.array([0, 0, 1.0])
    write_preview(tmp_path / "preview.jpg", baked, ring(), up)
    write_four_sides(tmp_path / "views.jpg", baked, up)
    preview, sides = cv2.imread(str(tmp_path / "preview.jpg")), cv2.imread(str(tmp_path / "views.jpg"))
    assert preview.shape[1] > 2 * preview.shape[0] * 0.95
    assert sides.shape[1] > 1.9 * sides.shape[0]
    assert sides[280, 280].max() < 250, "something stands in the middle of the first picture"


def test_unknown_texels_take_their_surroundings() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    known = np.zeros((64, 64), bool)
    picture[:, :20], known[:, :20] = (10, 100, 200), True
    filled = filled_from_around(picture, known)
    assert np.abs(filled.astype(int) - (10, 100, 200)).max() <= 1
