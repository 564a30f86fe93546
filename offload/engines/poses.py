"""Camera poses in a file: the project's own JSON (docs/poses.md), and Middlebury's `*_par.txt`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from offload.engines.protocol import BadInput
from offload.wire.base import Wire

Floats = NDArray[np.float64]
Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

FORMAT: Literal["scannerd-poses/1"] = "scannerd-poses/1"
METRES_PER_UNIT = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "inch": 0.0254}
MOST_SKEW = 2e-3
"""How far R Rᵀ may be from the identity: rounding in a text file, not a mistake."""
MIDDLEBURY_NUMBERS = 21
LEAST_IMAGES = 3


class PosedImage(Wire):
    """One photo: a point X is seen at `K (R X + t)` divided by its third component."""

    model_config = ConfigDict(allow_inf_nan=False)

    file: Annotated[str, Field(min_length=1)]
    """Relative to the folder of photos."""
    K: Matrix
    """Pixels; pixel (0, 0) is the centre of the top left pixel."""
    R: Matrix
    """Camera from object; camera x right, y down, z forward."""
    t: Row
    distortion: tuple[float, float, float, float, float] | None = None
    """OpenCV's k1, k2, p1, p2, k3; left out where the photo is free of it."""

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, name: str) -> str:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"{name!r} leaves the folder of photos; give a path relative to it")
        return name

    @field_validator("K")
    @classmethod
    def _is_a_camera(cls, K: Matrix) -> Matrix:
        if K[0][0] <= 0 or K[1][1] <= 0 or K[2] != (0.0, 0.0, 1.0):
            raise ValueError("K must be [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with positive fx and fy")
        return K

    @field_validator("R")
    @classmethod
    def _turns(cls, R: Matrix) -> Matrix:
        matrix = np.array(R)
        skew = float(np.abs(matrix @ matrix.T - np.eye(3)).max())
        if skew > MOST_SKEW or np.linalg.det(matrix) < 0:
            raise ValueError(f"R is no rotation: R times its transpose is off the identity by {skew:.2g}")
        return R


class Poses(Wire):
    """Photos and where they were taken from, in one frame."""

    model_config = ConfigDict(allow_inf_nan=False)

    format: Literal["scannerd-poses/1"] = FORMAT
    units: str = "m"
    """Of t and bounds: m, cm, mm, inch, or any other word for an unknown unit."""
    images: tuple[PosedImage, ...] = Field(min_length=LEAST_IMAGES)
    bounds: tuple[Row, Row] | None = None
    """Lowest and highest corner of a box around the object; found from the silhouettes when left out."""
    up: Row | None = None
    """Which way is up; found from the ring of cameras when left out."""
    passed_over: int = Field(default=0, exclude=True)
    """Images of a shared list that are not among these photos; never written."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Poses":
        names = [image.file for image in self.images]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice} is named twice")
        if self.bounds is not None and not all(low < high for low, high in zip(*self.bounds, strict=True)):
            raise ValueError("bounds must be [[lowest x, y, z], [highest x, y, z]]")
        if self.up is not None and np.linalg.norm(self.up) < 1e-6:
            raise ValueError("up has no length")
        return self

    @property
    def metres_per_unit(self) -> float | None:
        """None when the unit is not one of the known ones."""
        return METRES_PER_UNIT.get(self.units)


def posed_image(file: str, K: Floats, R: Floats, t: Floats, distortion: Floats | None = None) -> PosedImage:
    """Make an entry from arrays (3, 3), (3, 3), (3,) and (5,)."""
    k1, k2, p1, p2, k3 = (0.0,) * 5 if distortion is None else (float(value) for value in distortion)
    bent = None if distortion is None else (k1, k2, p1, p2, k3)
    return PosedImage(file=file, K=_matrix(K), R=_matrix(R), t=_row(t), distortion=bent)


def write_poses(path: Path, poses: Poses) -> None:
    """Write the JSON, one image a line."""
    whole = json.loads(poses.model_dump_json(exclude_none=True))
    images = ",\n  ".join(json.dumps(image) for image in whole.pop("images"))
    head = json.dumps(whole)[1:-1]
    path.write_text(f'{{{head}, "images": [\n  {images}\n]}}\n')


def read_poses(path: Path, folder: Path) -> Poses:
    """Read either kind for the photos in `folder`; which one is told by the first character. Raises BadInput.

    Middlebury's list belongs to several sets of photos: what is not in the folder is passed over. The JSON names
    exactly the photos to use.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such poses file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text ({error}); a poses file is JSON or *_par.txt") from error
    if text.lstrip().startswith("{"):
        return _from_json(path, text)
    return _from_middlebury(path, text, folder)


def _from_json(path: Path, text: str) -> Poses:
    try:
        return Poses.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        where = ".".join(str(part) for part in faults[0]["loc"]) or "the whole file"
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise BadInput(f"{path}: {where}: {faults[0]['msg']}{more}; the format is told in docs/poses.md") from error


def _from_middlebury(path: Path, text: str, folder: Path) -> Poses:
    """First a count, then a line an image: name, K row by row, R row by row, t."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if not lines or len(lines[0]) != 1 or not lines[0][0].isdigit():
        raise BadInput(f"{path}: neither JSON nor Middlebury's *_par.txt (which begins with the count of images)")
    listed = [_middlebury_image(path, number, fields) for number, fields in enumerate(lines[1:], start=2)]
    images = [image for image in listed if (folder / image.file).is_file()]
    if len(images) < LEAST_IMAGES:
        raise BadInput(
            f"{path}: {len(images)} of its {len(listed)} images are in {folder}, at least {LEAST_IMAGES} are needed"
        )
    try:
        return Poses(units="m", images=tuple(images), passed_over=len(listed) - len(images))
    except ValidationError as error:
        raise BadInput(f"{path}: {error.errors(include_url=False)[0]['msg']}") from error


def _middlebury_image(path: Path, number: int, fields: list[str]) -> PosedImage:
    try:
        values = np.array([float(field) for field in fields[1:]])
        if len(values) != MIDDLEBURY_NUMBERS:
            raise ValueError(f"{len(values)} numbers after the name, {MIDDLEBURY_NUMBERS} are needed")
        return posed_image(fields[0], values[:9].reshape(3, 3), values[9:18].reshape(3, 3), values[18:])
    except ValidationError as error:
        raise BadInput(f"{path}, line {number}: {error.errors(include_url=False)[0]['msg']}") from error
    except ValueError as error:
        raise BadInput(f"{path}, line {number}: {error}") from error


def _row(values: Floats) -> Row:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _matrix(values: Floats) -> Matrix:
    return _row(values[0]), _row(values[1]), _row(values[2])
