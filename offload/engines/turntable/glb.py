"""Write glTF 2.0 binary: metres, Y up, one mesh, one JPEG texture."""

import json
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.engines.turntable.texture import TexturedMesh
from offload.engines.turntable.views import Floats

FLOAT, UNSIGNED_INT = 5126, 5125
VERTICES, INDICES = 34962, 34963
LINEAR, MIPMAPPED, CLAMPED = 9729, 9987, 33071
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
JPEG_QUALITY = 90


def write_glb(path: Path, model: TexturedMesh, to_gltf: Floats, generator: str) -> None:
    """Write the model; `to_gltf` (4, 4) takes its frame and unit to glTF's metres with Y up."""
    turn = to_gltf[:3, :3] / np.cbrt(np.linalg.det(to_gltf[:3, :3]))
    positions = (model.mesh.vertices @ to_gltf[:3, :3].T + to_gltf[:3, 3]).astype("<f4")
    normals = (model.normals @ turn.T).astype("<f4")
    uv = model.uv.astype("<f4")
    indices = model.mesh.faces.astype("<u4").reshape(-1)
    coded, jpeg = cv2.imencode(".jpg", model.texture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not coded:
        raise RuntimeError(f"the texture of {model.texture.shape} could not be encoded as JPEG")
    blocks = [positions.tobytes(), normals.tobytes(), uv.tobytes(), indices.tobytes(), jpeg.tobytes()]
    binary, views = _laid_out(blocks)
    document = {
        "asset": {"version": "2.0", "generator": generator, "extras": {"units": "metre", "up": "+Y"}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "scan"}],
        "meshes": [{"primitives": [_primitive()]}],
        "materials": [_material()],
        "textures": [{"source": 0, "sampler": 0}],
        "samplers": [{"magFilter": LINEAR, "minFilter": MIPMAPPED, "wrapS": CLAMPED, "wrapT": CLAMPED}],
        "images": [{"bufferView": 4, "mimeType": "image/jpeg"}],
        "accessors": _accessors(positions, len(uv), len(indices)),
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    path.write_bytes(_container(document, binary))


def _primitive() -> dict[str, Any]:
    return {"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0, "mode": 4}


def _material() -> dict[str, Any]:
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": 0.9}
    return {"name": "photographed", "pbrMetallicRoughness": surface, "doubleSided": False}


def _accessors(positions: NDArray[np.float32], points: int, indices: int) -> list[dict[str, Any]]:
    low, high = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    return [
        {"bufferView": 0, "componentType": FLOAT, "count": points, "type": "VEC3", "min": low, "max": high},
        {"bufferView": 1, "componentType": FLOAT, "count": points, "type": "VEC3"},
        {"bufferView": 2, "componentType": FLOAT, "count": points, "type": "VEC2"},
        {"bufferView": 3, "componentType": UNSIGNED_INT, "count": indices, "type": "SCALAR"},
    ]


def _laid_out(blocks: list[bytes]) -> tuple[bytes, list[dict[str, int]]]:
    """One after the other, each on a multiple of four bytes."""
    targets = [VERTICES, VERTICES, VERTICES, INDICES, None]
    binary, views = b"", []
    for block, target in zip(blocks, targets, strict=True):
        view = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(block)}
        views.append(view if target is None else {**view, "target": target})
        binary += block + bytes(-len(block) % 4)
    return binary, views


def _container(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks
