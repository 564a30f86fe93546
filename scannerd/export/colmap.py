"""COLMAP's text model: `cameras.txt`, `images.txt`, `points3D.txt` (colmap.github.io/format.html).

In COLMAP the top left corner of the top left pixel is (0, 0), so its centre is (0.5, 0.5).
"""

from collections.abc import Iterator

import numpy as np

from offload.geometry.lens import Floats, Lens
from scannerd.export.exported_file import ExportedFile, text_file
from scannerd.export.photo_set import PhotoSet, SetPhoto

FIRST_CAMERA_ID = 1
MODEL = "sparse/0"


def files(photos: PhotoSet) -> Iterator[ExportedFile]:
    """Yield the model; without poses it holds the cameras only, and COLMAP finds the poses."""
    cameras = [_camera(FIRST_CAMERA_ID + number, one.lens) for number, one in enumerate(photos.cameras)]
    head = "# CAMERA_ID MODEL WIDTH HEIGHT PARAMS\n"
    yield text_file(f"{MODEL}/cameras.txt", head + "".join(f"{camera}\n" for camera in cameras))
    lines = [f"{_image(photo)}\n\n" for photo in photos.posed]
    head = "# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then POINTS2D (none)\n"
    yield text_file(f"{MODEL}/images.txt", head + "".join(lines))
    yield text_file(f"{MODEL}/points3D.txt", "# POINT3D_ID X Y Z R G B ERROR TRACK (none: triangulate)\n")


def _camera(camera_id: int, lens: Lens) -> str:
    k1, k2, p1, p2, k3 = lens.distortion
    pinhole = (lens.focal_px, lens.focal_px * lens.aspect, lens.centre_px[0] + 0.5, lens.centre_px[1] + 0.5)
    # Only the full model has a k3; its k4 to k6 divide and are zero.
    model, bend = ("OPENCV", (k1, k2, p1, p2)) if k3 == 0 else ("FULL_OPENCV", (k1, k2, p1, p2, k3, 0, 0, 0))
    numbers = " ".join(f"{value:.12g}" for value in (*pinhole, *bend))
    return f"{camera_id} {model} {lens.width_px} {lens.height_px} {numbers}"


def _image(photo: SetPhoto) -> str:
    assert photo.pose is not None
    numbers = [*quaternion(np.array(photo.pose.R)), *photo.pose.t_mm]
    camera_id = FIRST_CAMERA_ID + photo.camera
    return f"{photo.index + 1} {' '.join(f'{value:.12g}' for value in numbers)} {camera_id} {photo.name}"


def quaternion(R: Floats) -> Floats:
    """Return (4,) w, x, y, z of a rotation, w not negative.

    The eigenvector of the largest eigenvalue (Bar-Itzhack, "New method for extracting the quaternion from a rotation
    matrix", 2000), which is stable for every rotation.
    """
    xx, yx, zx, xy, yy, zy, xz, yz, zz = R.ravel()
    K = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [yx + xy, yy - xx - zz, 0, 0],
            [zx + xz, zy + yz, zz - xx - yy, 0],
            [yz - zy, zx - xz, xy - yx, xx + yy + zz],
        ]
    )
    values, vectors = np.linalg.eigh(K / 3)
    found = vectors[[3, 0, 1, 2], np.argmax(values)]
    return np.asarray(-found if found[0] < 0 else found)
