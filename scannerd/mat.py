"""The turntable mat as a drawing at true scale: the ChArUco board, rulers to check the print, and what to configure.

Board coordinates: millimetres, origin in the chequered area's lower left corner, x right, y up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from offload.wire.bundle import MatSpec


class Paper(StrEnum):
    """Sizes that printers have."""

    A4 = "A4"
    LETTER = "Letter"
    A3 = "A3"

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height, upright."""
        return {Paper.A4: (210.0, 297.0), Paper.LETTER: (215.9, 279.4), Paper.A3: (297.0, 420.0)}[self]

    @property
    def mat(self) -> MatSpec:
        """The largest good mat for it. Odd numbers of squares with an even sum put a black square in the centre."""
        return {
            Paper.A4: MatSpec(columns=9, rows=13, square_mm=20, marker_mm=15),
            Paper.LETTER: MatSpec(columns=9, rows=13, square_mm=19, marker_mm=14.25),
            Paper.A3: MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5),
        }[self]


@dataclass(frozen=True)
class Box:
    """An upright rectangle of one ink; later boxes cover earlier ones."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    black: bool


def board_boxes(mat: MatSpec) -> Iterator[Box]:
    """Yield the board's squares and markers; what no box covers is white paper."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, mat.dictionary))
    number = 0
    for row in range(mat.rows):
        for column in range(mat.columns):
            x_mm, y_mm = column * mat.square_mm, (mat.rows - 1 - row) * mat.square_mm
            if (row + column) % 2 == 0:
                yield Box(x_mm, y_mm, mat.square_mm, mat.square_mm, True)
            else:
                margin_mm = (mat.square_mm - mat.marker_mm) / 2
                yield from _marker_boxes(_bits(dictionary, number), x_mm + margin_mm, y_mm + margin_mm, mat.marker_mm)
                number += 1


def _bits(dictionary: "cv2.aruco.Dictionary", number: int) -> NDArray[np.bool_]:
    """Return a marker's cells with its black frame, True for white, first row at the top."""
    side = dictionary.markerSize + 2
    return np.asarray(cv2.aruco.generateImageMarker(dictionary, number, side)) > 127


def _marker_boxes(white: NDArray[np.bool_], x_mm: float, y_mm: float, side_mm: float) -> Iterator[Box]:
    """Yield a black square, then its white cells as whole runs both ways.

    Runs along the rows alone would show hairlines of black between rows where printers soften edges; the runs down
    the columns cover exactly those.
    """
    cells = white.shape[0]
    cell_mm = side_mm / cells
    yield Box(x_mm, y_mm, side_mm, side_mm, True)
    for row in range(cells):
        for first, last in _runs(white[row]):
            width_mm = (last - first) * cell_mm
            yield Box(x_mm + first * cell_mm, y_mm + (cells - 1 - row) * cell_mm, width_mm, cell_mm, False)
    for column in range(cells):
        for first, last in _runs(white[:, column]):
            if last - first > 1:
                height_mm = (last - first) * cell_mm
                yield Box(x_mm + column * cell_mm, y_mm + (cells - last) * cell_mm, cell_mm, height_mm, False)


def _runs(cells: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield (first, one past the last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
