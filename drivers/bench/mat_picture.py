"""The printed ChArUco mat as a picture to lay on the bench's platter."""

import cv2
import numpy as np

from drivers.bench.scene import MatPicture


def charuco_mat(
    columns: int = 15,
    rows: int = 15,
    square_mm: float = 18.0,
    marker_mm: float = 13.5,
    dictionary: str = "DICT_4X4_250",
    pixels_per_mm: float = 10.0,
    margin_mm: float = 6.0,
) -> MatPicture:
    """Return OpenCV's board, its image's first row at the mat's +y edge, with white paper around it."""
    name = getattr(cv2.aruco, dictionary)
    board = cv2.aruco.CharucoBoard((columns, rows), square_mm, marker_mm, cv2.aruco.getPredefinedDictionary(name))
    width, height = round(columns * square_mm * pixels_per_mm), round(rows * square_mm * pixels_per_mm)
    margin = round(margin_mm * pixels_per_mm)
    image = np.asarray(board.generateImage((width, height), marginSize=0, borderBits=1), dtype=np.uint8)
    paper = np.full((height + 2 * margin, width + 2 * margin), 255, np.uint8)
    paper[margin : margin + height, margin : margin + width] = image
    return MatPicture(paper, paper.shape[1] / pixels_per_mm, paper.shape[0] / pixels_per_mm)
