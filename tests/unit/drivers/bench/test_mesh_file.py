"""Meshes that people have, and files that only look like one."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from drivers.bench.mesh_file import load_mesh
from drivers.bench.scene import MeshFileError

_TETRAHEDRON = trimesh.Trimesh(
    [[0, 0, 0], [2, 0, 0], [0, 3, 0], [0, 0, 4]], [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
)


def _saved(path: Path, mesh: trimesh.Trimesh = _TETRAHEDRON) -> Path:
    mesh.export(path)
    return path


@pytest.mark.parametrize(("suffix", "width_mm"), [("stl", 75.0), ("ply", 75.0), ("obj", 100.0), ("glb", 100.0)])
def test_it_stands_150_mm_tall_on_the_axis(tmp_path: Path, suffix: str, width_mm: float) -> None:
    thing = load_mesh(_saved(tmp_path / f"thing.{suffix}"))
    low, high = thing.vertices_mm.min(axis=0), thing.vertices_mm.max(axis=0)
    assert (low[2], high[2]) == pytest.approx((0.0, 150.0), abs=1e-3)
    assert low[:2] + high[:2] == pytest.approx([0, 0], abs=1e-3)
    assert high[0] - low[0] == pytest.approx(width_mm, rel=1e-4)
    assert thing.paint_seed is not None
    assert _volume_mm3(thing.vertices_mm, thing.faces) > 0


def test_up_axis_and_size_may_be_told(tmp_path: Path) -> None:
    thing = load_mesh(_saved(tmp_path / "thing.obj"), keep_size=True, up_axis="z")
    assert np.ptp(thing.vertices_mm, axis=0) == pytest.approx([2, 3, 4])
    assert thing.height_mm == pytest.approx(4)


def test_vertex_colours_become_linear(tmp_path: Path) -> None:
    mesh = _TETRAHEDRON.copy()
    mesh.visual.vertex_colors = np.array([[188, 0, 255, 255]] * 4, np.uint8)
    thing = load_mesh(_saved(tmp_path / "thing.ply", mesh))
    assert thing.vertex_colours is not None
    assert thing.vertex_colours[0] == pytest.approx([0.503, 0, 1], abs=0.002)


def test_a_texture_beside_an_obj_without_material_is_worn(tmp_path: Path) -> None:
    (tmp_path / "cow_fine.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n")
    Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / "cow_texture.png")
    thing = load_mesh(tmp_path / "cow_fine.obj")
    assert thing.texture is not None
    assert thing.texture[0, 0].tolist() == [10, 20, 30]
    assert thing.uv is not None
    assert thing.uv.max() == 1


_BAD = {
    "empty.obj": (b"", "empty"),
    "words.stl": (b"this is not a mesh at all\n", "no triangles"),
    "words.ply": (b"this is not a mesh at all\n", "PLY"),
    "words.glb": (b"this is not a mesh at all\n", "GLB"),
    "points.obj": (b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no triangles|readable"),
    "flat.obj": (b"v 0 0 0\nv 1 0 0\nv 0 0 1\nf 1 2 3\n", "no height"),
    "nan.obj": (b"v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n", "not finite"),
    "wide.obj": (b"v 0 0 0\nv 9 0 0\nv 0 1 0\nf 1 2 3\n", "platter takes 400 mm"),
    "thing.step": (b"ISO-10303-21;", r"\.step is not a mesh"),
}


@pytest.mark.parametrize("name", _BAD)
def test_bad_files_are_named_with_their_fault(tmp_path: Path, name: str) -> None:
    content, fault = _BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MeshFileError, match=fault) as caught:
        load_mesh(path)
    assert name in str(caught.value)


@pytest.mark.parametrize(("kind", "fault"), [("stl", "take 64084 bytes"), ("stl_ascii", "end of the STL text")])
def test_a_cut_stl_is_told_from_an_empty_one(tmp_path: Path, kind: str, fault: str) -> None:
    whole = trimesh.creation.icosphere(subdivisions=3).export(file_type=kind)
    content = whole.encode() if isinstance(whole, str) else whole
    path = tmp_path / "cut.stl"
    path.write_bytes(content[: len(content) // 2 + 7])
    with pytest.raises(MeshFileError, match=fault):
        load_mesh(path)


def test_a_folder_is_no_mesh(tmp_path: Path) -> None:
    with pytest.raises(MeshFileError, match="is a folder"):
        load_mesh(tmp_path)


def test_an_unreadable_texture_is_named(tmp_path: Path) -> None:
    corners = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvt 0 0\nvt 1 0\nvt 0 1\n"
    (tmp_path / "thing.obj").write_text(corners + "f 1/1 2/2 3/3\nf 1/1 2/2 4/3\nf 2/1 3/2 4/3\n")
    (tmp_path / "thing_texture.png").write_bytes(b"not a picture")
    with pytest.raises(MeshFileError, match=r"thing_texture\.png: the texture of thing\.obj cannot be read"):
        load_mesh(tmp_path / "thing.obj")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshFileError, match=r"nowhere\.obj: there is no such file"):
        load_mesh(tmp_path / "nowhere.obj")


def _volume_mm3(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float(np.einsum("nk,nk->n", a, np.cross(b, c)).sum() / 6)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "wears_texture"), [("stanford-bunny.obj", False), ("spot/spot_triangulated.obj", True)]
)
def test_the_meshes_that_people_try_first(test_data: Path, name: str, wears_texture: bool) -> None:
    thing = load_mesh(test_data / "meshes" / name)
    assert np.ptp(thing.vertices_mm[:, 2]) == pytest.approx(150, abs=1e-3)
    assert (thing.texture is not None) == wears_texture
    assert (thing.paint_seed is None) == wears_texture
