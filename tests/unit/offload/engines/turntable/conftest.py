"""A ball with a painted grain, seen by a ring of cameras: what every dense stage can be measured against."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from offload.engines.turntable.views import Mesh, ViewSet

CENTRE = np.array([0.0, 0.0, 40.0])


@dataclass(frozen=True)
class Ball:
    """A ball's photos and its truth, millimetres."""

    views: ViewSet
    radius: float
    depth: np.ndarray
    """(V, H, W), inf beside the ball."""
    centre: np.ndarray

    def error(self, mesh: Mesh) -> np.ndarray:
        """Distance of each vertex from the true surface, positive outside."""
        return np.asarray(np.linalg.norm(mesh.vertices - self.centre, axis=1) - self.radius)


def grain(points: np.ndarray, seed: int = 4, waves: int = 60) -> np.ndarray:
    """Grey 0 to 255 in space, with wavelengths of 2.5 to 12 mm."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(waves, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    numbers = directions * (2 * np.pi / np.geomspace(2.5, 12, waves))[:, None]
    phases = rng.uniform(0, 2 * np.pi, waves)
    value = np.cos(points @ numbers.T + phases).sum(axis=1) / np.sqrt(waves / 2)
    return np.clip(128 + 45 * value, 0, 255)


def look_at_ball(
    count: int = 16,
    width: int = 240,
    height: int = 180,
    radius: float = 30.0,
    elevations_deg: tuple[float, ...] = (30.0,),
    noise: float = 1.0,
    painted: bool = True,
) -> Ball:
    """Render `count` views a ring, analytically: a ray meets a ball where a quadratic says."""
    focal = 0.42 * height / radius * 400
    K = np.array([[focal, 0, (width - 1) / 2 + 1.5], [0, focal, (height - 1) / 2 - 2.0], [0, 0, 1]])
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3) @ np.linalg.inv(K).T
    rng = np.random.default_rng(0)
    images, masks, rotations, translations, depths = [], [], [], [], []
    for elevation in np.radians(elevations_deg):
        for azimuth in 2 * np.pi * np.arange(count) / count:
            out = np.array(
                [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
            )
            forward = -out
            right = np.cross(forward, [0.0, 0, 1])
            right /= np.linalg.norm(right)
            R = np.stack([right, np.cross(forward, right), forward])
            eye = CENTRE + 400 * out
            towards = rays @ R
            a, b = (towards**2).sum(axis=1), towards @ (eye - CENTRE)
            root = b**2 - a * (400.0**2 - radius**2)
            z = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
            grey = rng.normal(40, noise, len(z))
            hit = np.isfinite(z)
            paint = grain(eye + towards[hit] * z[hit, None]) if painted else np.full(hit.sum(), 150.0)
            grey[hit] = paint + rng.normal(0, noise, hit.sum())
            image = np.clip(grey, 0, 255).reshape(height, width, 1).astype(np.uint8)
            images.append(np.repeat(image, 3, axis=2))
            masks.append(hit.reshape(height, width).astype(np.uint8))
            depths.append(z.reshape(height, width))
            rotations.append(R)
            translations.append(-R @ eye)
    total = len(images)
    views = ViewSet(
        names=tuple(f"{view:04d}.jpg" for view in range(total)),
        images=np.stack(images),
        masks=np.stack(masks),
        K=np.repeat(K[None], total, axis=0),
        R=np.stack(rotations),
        t=np.stack(translations),
    )
    return Ball(views, radius, np.stack(depths), CENTRE)


@pytest.fixture(scope="session")
def ball() -> Ball:
    """Sixteen photos of 240 x 180, 0.4 mm a pixel."""
    return look_at_ball()


@pytest.fixture(scope="session")
def make_ball() -> Callable[..., Ball]:
    """For another number of views, size or paint."""
    return look_at_ball
