import cv2
import numpy as np
import pytest

from offload.engines.turntable.background import completed, from_plate, from_views, mat_footprint
from offload.engines.turntable.mask import silhouette
from offload.engines.turntable.mask_edge import snapped
from offload.engines.turntable.mask_evidence import MatScene
from offload.engines.turntable.mask_shape import without_blind_holes
from offload.engines.turntable.mat import Mat
from offload.engines.turntable.plain_mask import plain_silhouette
from offload.engines.turntable.rough_hull import rough_hull
from offload.geometry.turntable import turned
from offload.wire.bundle import MatSpec

MAT = Mat(MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5))
WIDTH, HEIGHT = 800, 600
K = np.array([[1145.0, 0, 399.5], [0, 1145.0, 299.5], [0, 0, 1]])
RADIUS_MM = 40.0
ON_AXIS_MM, BESIDE_AXIS_MM = np.array([0.0, 0.0, 60.0]), np.array([32.0, 0.0, 60.0])


def pose(angle_deg: float) -> tuple[np.ndarray, np.ndarray]:
    eye = np.array([0, -416.0, 307.0])
    forward = np.array([0, 0, 60.0]) - eye
    forward /= np.linalg.norm(forward)
    right = np.array([1.0, 0, 0])
    R = np.stack([right, np.cross(forward, right), forward])
    return R @ turned(np.deg2rad(angle_deg)), -R @ eye


def wall(rng: np.random.Generator) -> np.ndarray:
    rough = cv2.resize(rng.random((40, 54, 3)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(60 + 120 * rough, 0, 255)


def scene_photo(
    still: np.ndarray, angle_deg: float, *, ball: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A pinkish striped ball that hovers over the mat before a wall; and its true silhouette."""
    R, t = pose(angle_deg)
    homography = K @ np.column_stack([R[:, 0], R[:, 1], t]) @ MAT.from_picture(4.0)
    pattern = cv2.warpPerspective(MAT.picture(4.0), homography, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
    on_mat = mat_footprint((270, 270), K, R, t, (WIDTH, HEIGHT))
    light = np.linspace(1.0, 0.75, WIDTH)[None, :]
    photo = np.where(on_mat[..., None], ((45 + pattern * (150 / 255.0)) * light)[..., None], still)
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    if ball is not None:
        truth = ball_silhouette(R, t, ball)
        columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
        stripes = 0.5 + 0.5 * np.sin((columns * np.cos(angle_deg) + rows * np.sin(angle_deg)) / 9)
        paint = np.array([120.0, 130.0, 205.0]) * (0.75 + 0.25 * stripes[..., None])
        photo = np.where(truth[..., None] > 0, paint, photo)
    noise = np.random.default_rng(seed).normal(0, 2.0, photo.shape)
    return np.clip(cv2.GaussianBlur(photo, (0, 0), 0.6) + noise, 0, 255).astype(np.uint8), truth


def ball_silhouette(R: np.ndarray, t: np.ndarray, centre_mm: np.ndarray) -> np.ndarray:
    """Exact: a ray sees the ball when its angle to the centre is below the ball's."""
    centre = R @ centre_mm + t
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([(columns - K[0, 2]) / K[0, 0], (rows - K[1, 2]) / K[1, 1], np.ones_like(columns)], axis=-1)
    cosine = rays @ centre / np.linalg.norm(rays, axis=-1) / np.linalg.norm(centre)
    return (cosine > np.sqrt(1 - (RADIUS_MM / np.linalg.norm(centre)) ** 2)).astype(np.uint8)


@pytest.mark.parametrize(("with_plate", "ball"), [(True, ON_AXIS_MM), (False, BESIDE_AXIS_MM)])
def test_silhouettes_of_a_ball_on_the_mat(with_plate: bool, ball: np.ndarray) -> None:
    still = wall(np.random.default_rng(4))
    angles = np.arange(0, 360, 30.0)
    shots = [scene_photo(still, float(angle), ball=ball, seed=int(angle)) for angle in angles]
    photos, truths = [photo for photo, _ in shots], [truth for _, truth in shots]
    poses = [pose(float(angle)) for angle in angles]
    mats = [mat_footprint((270, 270), K, R, t, (WIDTH, HEIGHT), 3) for R, t in poses]
    start = None
    if with_plate:
        plate, _ = scene_photo(still * 1.05, 10.0, ball=None, seed=99)
        start = from_plate(plate, mat_footprint((270, 270), K, *pose(10.0), (WIDTH, HEIGHT), 4))
    behind = from_views(photos, mats)
    behind = behind if start is None else completed(start, behind)
    scene = MatScene(MAT, K, behind, None, square_px=18 * 1145 / 517)
    masks = [silhouette(scene, photo, R, t)[0] for photo, (R, t) in zip(photos, poses, strict=True)]
    for mask, truth in zip(masks, truths, strict=True):
        both, either = (mask & truth).sum(), (mask | truth).sum()
        assert both / either > (0.95 if with_plate else 0.75)
        assert 1 - both / truth.sum() < 0.01, "a mask must not eat the object"
    box = rough_hull(
        masks, np.repeat(K[None], len(poses), 0), np.stack([R for R, _ in poses]), np.stack([t for _, t in poses]),
        np.array([-135.0, -135, 0]), np.array([135.0, 135, 250]),
    )  # fmt: skip
    around = np.concatenate([ball - RADIUS_MM - box.low, box.high - ball - RADIUS_MM])
    assert around.min() > -3, "the box holds the ball"
    assert around.max() < (25 if with_plate else 45), (
        "and not much more, though two of twelve views may be blind to a place"
    )


def test_a_hole_stays_open_only_where_something_is_seen_through_it() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[10:90, 10:190] = 1
    mask[30:70, 30:70] = 0
    mask[30:70, 130:170] = 0
    seen = np.zeros(mask.shape, bool)
    seen[35:65, 135:165] = True
    filled = without_blind_holes(mask, seen, small_px=20)
    assert filled[50, 50] == 1
    assert filled[50, 150] == 0


def test_an_edge_moves_to_where_the_photo_shows_it() -> None:
    truth = np.zeros((200, 200), np.uint8)
    cv2.circle(truth, (100, 100), 60, 1, -1)
    behind = np.tile(np.array([60, 90, 70], np.uint8), (200, 200, 1))
    behind[::20] = 200
    photo = np.where(truth[..., None] > 0, np.array([180, 170, 200], np.uint8), behind)
    photo = cv2.GaussianBlur(photo, (0, 0), 0.7)
    kernel = np.ones((5, 5), np.uint8)
    bitten, leaking = cv2.erode(truth, kernel), cv2.dilate(truth, kernel)
    everywhere = np.ones((200, 200), bool)
    assert (snapped(bitten, photo, behind, everywhere) != truth).sum() < 0.4 * (bitten != truth).sum()
    assert (snapped(leaking, photo, behind, everywhere) != truth).sum() < 0.7 * (leaking != truth).sum()


def test_an_edge_stays_where_nothing_is_known_behind() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[30:70, 30:70] = 1
    photo = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    kept = snapped(mask, photo, np.zeros_like(photo), np.zeros((100, 100), bool))
    assert (kept != mask).sum() < 0.03 * mask.sum(), "but for rounded corners"


def test_a_plain_dark_background_is_told_from_the_border() -> None:
    truth = np.zeros((240, 320), np.uint8)
    cv2.ellipse(truth, (170, 120), (70, 90), 20, 0, 360, 1, -1)
    cv2.rectangle(truth, (150, 180), (190, 239), 1, -1)
    rng = np.random.default_rng(1)
    for behind, front in ((8.0, 150.0), (235.0, 90.0)):
        slope = np.linspace(0, 10, 320)[None, :, None]
        photo = np.where(truth[..., None] > 0, front, behind + slope) + rng.normal(0, 2, (240, 320, 3))
        mask = plain_silhouette(np.clip(photo, 0, 255).astype(np.uint8))
        assert (mask & truth).sum() / (mask | truth).sum() > 0.97
        assert (truth & (1 - mask)).sum() < 0.005 * truth.sum()
