"""The two pictures a person looks at first: photo beside model, and the model from four sides."""

from pathlib import Path

import cv2
import numpy as np

from offload.engines.turntable.crop import scaled
from offload.engines.turntable.picture_of_model import Picture, Viewpoint, draw
from offload.engines.turntable.texture import TexturedMesh
from offload.engines.turntable.upright import level
from offload.engines.turntable.views import Floats, ViewSet

HEIGHT_PX = 900
"""Of the preview; photos smaller than that are not enlarged."""
SIDE_PX = 560
GAP_PX = 6
FOCAL_IN_SIDES = 3.2
"""A long lens shows shape without drama."""
ELEVATION_DEG = 20.0
JPEG_QUALITY = 90


def write_preview(path: Path, model: TexturedMesh, views: ViewSet, up: Floats) -> None:
    """Write the photo with the largest silhouette beside the model from the same place, upright."""
    view = int(np.argmax(views.masks.reshape(len(views), -1).sum(axis=1)))
    height, width = views.masks.shape[1:]
    turns = _quarter_turns_to_upright(views.R[view], up)
    # Shrunk before anything is drawn: a drawing takes some 300 bytes a pixel.
    factor = min(1.0, HEIGHT_PX / (width if turns % 2 else height))
    size = (round(width * factor), round(height * factor))
    photo = np.asarray(cv2.resize(views.images[view], size, interpolation=cv2.INTER_AREA), np.uint8)
    at = Viewpoint(scaled(views.K[view], factor), views.R[view], views.t[view], *size)
    drawing = draw(model, at, with_texture=True, shade=0.0)
    _write(path, _side_by_side([np.rot90(picture, turns) for picture in (photo, drawing)]))


def write_four_sides(path: Path, model: TexturedMesh, up: Floats) -> None:
    """Write two rows of four: textured and lit, and as plain clay."""
    stations = [_station(model, up, azimuth_deg) for azimuth_deg in (-90.0, 0.0, 90.0, 180.0)]
    rows = [
        _side_by_side([draw(model, at, with_texture=with_texture, shade=shade) for at in stations])
        for with_texture, shade in ((True, 0.55), (False, 1.0))
    ]
    line = np.full((GAP_PX, rows[0].shape[1], 3), 255, np.uint8)
    _write(path, np.vstack([rows[0], line, rows[1]]))


def _station(model: TexturedMesh, up: Floats, azimuth_deg: float) -> Viewpoint:
    """A camera around `up`, far enough to see everything."""
    points = model.mesh.vertices
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = float(np.linalg.norm(points - centre, axis=1).max())
    right, ahead = level(up)
    azimuth, elevation = np.deg2rad([azimuth_deg, ELEVATION_DEG])
    towards = np.cos(elevation) * (np.cos(azimuth) * right + np.sin(azimuth) * ahead) + np.sin(elevation) * up
    forward = -towards
    x = np.cross(forward, up)
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(forward, x), forward])
    eye = centre + towards * radius * FOCAL_IN_SIDES * 2.1
    middle = (SIDE_PX - 1) / 2
    K = np.array([[FOCAL_IN_SIDES * SIDE_PX, 0, middle], [0, FOCAL_IN_SIDES * SIDE_PX, middle], [0, 0, 1.0]])
    return Viewpoint(K, R, -R @ eye, SIDE_PX, SIDE_PX)


def _quarter_turns_to_upright(R: Floats, up: Floats) -> int:
    """How often to turn a picture counter-clockwise so that `up` points up in it."""
    x, y = (R @ up)[:2]
    return int(np.round(np.arctan2(-x, -y) / (np.pi / 2))) * -1 % 4


def _side_by_side(pictures: list[Picture]) -> Picture:
    line = np.full((pictures[0].shape[0], GAP_PX, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, line)]
    return np.hstack(parts[:-1])


def _write(path: Path, picture: Picture) -> None:
    coded, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not coded:
        raise RuntimeError(f"{path.name}: a picture of {picture.shape} could not be encoded as JPEG")
    path.write_bytes(data.tobytes())
