"""The printed page itself is read back: its rectangles, rasterised, must be OpenCV's board at true scale."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pypdf import PdfReader
from pypdf.generic import ContentStream

from offload.wire.bundle import MatSpec
from scannerd.config import MatSection
from scannerd.mat import Paper, board_boxes
from scannerd.mat_pdf import EDGE_MM, mat_pdf

PIXELS_PER_MM = 8
POINTS_PER_MM = 72 / 25.4


def page_of(paper: Paper) -> tuple[ContentStream, tuple[float, float], str]:
    reader = PdfReader(BytesIO(mat_pdf(paper)))
    (page,) = reader.pages
    content = page.get_contents()
    assert content is not None
    size_mm = (float(page.mediabox.width) / POINTS_PER_MM, float(page.mediabox.height) / POINTS_PER_MM)
    return ContentStream(content, reader), size_mm, page.extract_text()


def rasterised(paper: Paper) -> NDArray[np.uint8]:
    """Draw the page's filled rectangles, in order, as a printer would."""
    stream, (width_mm, height_mm), _ = page_of(paper)
    image = np.full((round(height_mm * PIXELS_PER_MM), round(width_mm * PIXELS_PER_MM)), 255, np.uint8)
    grey, box = 0, (0.0, 0.0, 0.0, 0.0)
    for operands, operator in stream.operations:
        if operator in (b"g", b"rg"):
            grey = round(255 * float(operands[0]))
        elif operator == b"re":
            x, y, width, height = (float(value) / POINTS_PER_MM * PIXELS_PER_MM for value in operands)
            box = (x, image.shape[0] - y - height, x + width, image.shape[0] - y)
        elif operator in (b"f", b"f*"):
            left, top, right, bottom = (round(value) for value in box)
            image[top:bottom, left:right] = grey
    return image


def opencvs_board(mat: MatSpec) -> cv2.aruco.CharucoBoard:
    return cv2.aruco.CharucoBoard(
        (mat.columns, mat.rows),
        mat.square_mm,
        mat.marker_mm,
        cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, mat.dictionary)),
    )


@pytest.mark.parametrize("paper", list(Paper))
def test_the_page_shows_opencvs_board_at_true_scale(paper: Paper) -> None:
    mat, board = paper.mat, opencvs_board(paper.mat)
    image = rasterised(paper)
    corners, numbers, _, markers = cv2.aruco.CharucoDetector(board).detectBoard(image)
    assert len(numbers) == (mat.columns - 1) * (mat.rows - 1)
    assert len(markers) == mat.columns * mat.rows // 2
    on_board = np.asarray(board.getChessboardCorners())[numbers.ravel(), :2]
    # Pixel (0, 0) is the centre of the first pixel, so a millimetre mark lies half a pixel before its number.
    on_page_mm = (corners.reshape(-1, 2) + 0.5) / PIXELS_PER_MM
    paper_mm = np.array(paper.size_mm)
    expected_mm = on_board + (paper_mm - [mat.width_mm, mat.height_mm]) / 2
    assert np.abs(on_page_mm - expected_mm).max() < 0.8 / PIXELS_PER_MM


@pytest.mark.parametrize("paper", list(Paper))
def test_every_cell_is_the_one_that_opencv_draws(paper: Paper) -> None:
    mat, board = paper.mat, opencvs_board(paper.mat)
    image = rasterised(paper)
    width, height = round(mat.width_mm * PIXELS_PER_MM), round(mat.height_mm * PIXELS_PER_MM)
    top, left = round((image.shape[0] - height) / 2), round((image.shape[1] - width) / 2)
    drawn = image[top : top + height, left : left + width]
    reference = np.asarray(board.generateImage((width, height)), np.uint8)
    differing = np.mean(np.abs(drawn.astype(int) - reference) > 127)
    assert differing < 0.02, "only edges that both had to round differ"


@pytest.mark.parametrize("paper", list(Paper))
def test_nothing_is_drawn_where_printers_cannot_reach(paper: Paper) -> None:
    stream, size_mm, text = page_of(paper)
    assert size_mm == pytest.approx(paper.size_mm, abs=0.01)
    points: list[tuple[float, float]] = []
    for operands, operator in stream.operations:
        if operator in (b"m", b"l", b"re"):
            x, y = float(operands[0]), float(operands[1])
            points.append((x, y))
            if operator == b"re":
                points.append((x + float(operands[2]), y + float(operands[3])))
    in_mm = np.array(points) / POINTS_PER_MM
    assert in_mm.min() >= EDGE_MM
    assert (np.array(paper.size_mm) - in_mm).min() >= EDGE_MM
    mat = paper.mat
    assert f"columns = {mat.columns}, rows = {mat.rows}, square_mm = {mat.square_mm:g}" in text


@pytest.mark.parametrize("paper", list(Paper))
def test_rulers_are_a_hundred_millimetres_long_both_ways(paper: Paper) -> None:
    stream, _, text = page_of(paper)
    lengths, start = [], (0.0, 0.0)
    for operands, operator in stream.operations:
        if operator == b"m":
            start = (float(operands[0]), float(operands[1]))
        elif operator == b"l":
            way = (float(operands[0]) - start[0], float(operands[1]) - start[1])
            lengths.append((round(way[0] / POINTS_PER_MM, 2), round(way[1] / POINTS_PER_MM, 2)))
    assert (100.0, 0.0) in lengths
    assert (0.0, 100.0) in lengths
    assert text.count("100 mm") >= 2


@pytest.mark.parametrize("paper", list(Paper))
def test_a_black_square_lies_on_the_axis(paper: Paper) -> None:
    mat = paper.mat
    centre = (mat.width_mm / 2, mat.height_mm / 2)
    covering = [
        box
        for box in board_boxes(mat)
        if box.x_mm < centre[0] < box.x_mm + box.width_mm and box.y_mm < centre[1] < box.y_mm + box.height_mm
    ]
    assert [box.black for box in covering] == [True]


def test_the_a3_mat_is_the_default_of_the_config() -> None:
    assert MatSection().spec() == Paper.A3.mat
    assert MatSpec(columns=15, rows=15, square_mm=18, marker_mm=13.5) == Paper.A3.mat
