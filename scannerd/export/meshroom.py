"""AliceVision's SfMData as JSON, which Meshroom 2023.3 and later take as `--input`: views, intrinsics, locked poses.

Read off aliceVision/sfmDataIO/jsonIO.cpp, version 1.2.6: numbers are text; the principal point is counted from the
photo's middle; a pose is the camera's centre with the rotation of world from camera row by row; the distortion
"brown" is OpenCV's k1, k2, k3, p1, p2.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from offload.geometry.pose import Pose
from scannerd.export.exported_file import ExportedFile, text_file
from scannerd.export.photo_set import PhotoSet, SetCamera, SetPhoto

FIRST_INTRINSIC_ID = 1000
FIRST_VIEW_ID = 2000


def files(photos: PhotoSet, folder: Path | None = None) -> Iterator[ExportedFile]:
    """Yield `scene.sfm`; photos and masks lie beside it, in `folder` where it is known.

    Meshroom takes paths as they stand, from whatever folder a node runs in: only absolute ones are found.
    """
    images = "images" if folder is None else str(folder / "images")
    scene = {
        "version": ["1", "2", "6"],
        "views": [_view(photos, photo, images) for photo in photos.photos],
        "intrinsics": [_intrinsic(number, camera) for number, camera in enumerate(photos.cameras)],
        "poses": [_pose(photo) for photo in photos.posed],
    }
    if not scene["poses"]:
        del scene["poses"]
    yield text_file("scene.sfm", json.dumps(scene, indent=1) + "\n")


def _view_id(photo: SetPhoto) -> str:
    return str(FIRST_VIEW_ID + photo.index)


def _intrinsic_id(camera: int) -> str:
    return str(FIRST_INTRINSIC_ID + camera)


def _view(photos: PhotoSet, photo: SetPhoto, images: str) -> dict[str, Any]:
    own = photos.camera_of(photo)
    camera, lens = own.camera, own.lens
    return {
        "viewId": _view_id(photo),
        "poseId": _view_id(photo),
        "frameId": str(photo.index),
        "intrinsicId": _intrinsic_id(photo.camera),
        "path": f"{images}/{photo.name}",
        "width": str(lens.width_px),
        "height": str(lens.height_px),
        "metadata": {
            "Make": camera.make,
            "Model": camera.model,
            "Exif:FocalLength": _number(camera.focal_length_mm),
        },
    }


def _intrinsic(number: int, own: SetCamera) -> dict[str, Any]:
    lens = own.lens
    k1, k2, p1, p2, k3 = lens.distortion
    sensor_width_mm = own.camera.pixel_pitch_um * lens.width_px / 1000
    focal_mm = _number(lens.focal_px * sensor_width_mm / lens.width_px)
    known = "calibrated" if own.lens_is_known else "estimated"
    return {
        "intrinsicId": _intrinsic_id(number),
        "width": str(lens.width_px),
        "height": str(lens.height_px),
        "sensorWidth": _number(sensor_width_mm),
        "sensorHeight": _number(sensor_width_mm * lens.height_px / lens.width_px),
        "serialNumber": f"{own.camera.make}_{own.camera.model}{f'_{number}' if number else ''}",
        "type": "brown",
        "initializationMode": known,
        "initialFocalLength": focal_mm,
        "focalLength": focal_mm,
        "pixelRatio": _number(lens.aspect),
        "pixelRatioLocked": "true",
        "principalPoint": [
            _number(lens.centre_px[0] - lens.width_px / 2),
            _number(lens.centre_px[1] - lens.height_px / 2),
        ],
        "distortionInitializationMode": known,
        "distortionParams": [_number(value) for value in (k1, k2, k3, p1, p2)],
        "undistortionOffset": ["0", "0"],
        "undistortionParams": "",
        "locked": "true" if own.lens_is_known else "false",
    }


def _pose(photo: SetPhoto) -> dict[str, Any]:
    assert photo.pose is not None
    R = np.array(photo.pose.R)
    centre = Pose(R, np.array(photo.pose.t_mm)).centre_mm
    return {
        "poseId": _view_id(photo),
        "pose": {
            "transform": {
                "rotation": [_number(value) for value in R.T.ravel()],
                "center": [_number(value) for value in centre],
            },
            "locked": "1",
        },
    }


def _number(value: float) -> str:
    return f"{float(value):.12g}"
