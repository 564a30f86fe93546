"""nerfstudio's `transforms.json` (docs.nerf.studio, data conventions): OpenGL's cameras, y up, looking along -z.

A pixel's centre is (0.5, 0.5) there. Black in a mask is left out of the training.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from offload.geometry.lens import Lens
from offload.geometry.pose import Pose
from scannerd.export.exported_file import ExportedFile, text_file
from scannerd.export.photo_set import PhotoSet, SetPhoto


def files(photos: PhotoSet) -> Iterator[ExportedFile]:
    """Yield `transforms.json`; only photos with a pose are in it. Raises ExportFault when none has one."""
    photos.require_poses("nerfstudio")
    # One lens stands at the top, several with each photo.
    common = _lens(photos.cameras[0].lens) if len(photos.cameras) == 1 else {}
    transforms = {"camera_model": "OPENCV", **common, "frames": [_frame(photos, photo) for photo in photos.posed]}
    yield text_file("transforms.json", json.dumps(transforms, indent=1) + "\n")


def _lens(lens: Lens) -> dict[str, Any]:
    k1, k2, p1, p2, k3 = lens.distortion
    return {
        "w": lens.width_px,
        "h": lens.height_px,
        "fl_x": lens.focal_px,
        "fl_y": lens.focal_px * lens.aspect,
        "cx": lens.centre_px[0] + 0.5,
        "cy": lens.centre_px[1] + 0.5,
        "k1": k1,
        "k2": k2,
        "k3": k3,
        "p1": p1,
        "p2": p2,
    }


def _frame(photos: PhotoSet, photo: SetPhoto) -> dict[str, Any]:
    assert photo.pose is not None
    pose = Pose(np.array(photo.pose.R), np.array(photo.pose.t_mm))
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = pose.R.T * [1, -1, -1]
    world_from_camera[:3, 3] = pose.centre_mm
    mask = {"mask_path": f"masks/{photo.index:04d}.png"} if photo.mask is not None else {}
    return {
        "file_path": f"images/{photo.name}",
        **mask,
        **(_lens(photos.camera_of(photo).lens) if len(photos.cameras) > 1 else {}),
        "transform_matrix": [[round(float(value), 10) for value in row] for row in world_from_camera],
    }
