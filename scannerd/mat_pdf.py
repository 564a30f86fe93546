"""The mat as a PDF page, drawn with vectors, so that no printer has pixels to round."""

from io import BytesIO

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scannerd.mat import Box, Paper, board_boxes

RULER_MM = 100
EDGE_MM = 8.0
"""What printers cannot reach."""
CROSS_MM = 5.0


def mat_pdf(paper: Paper) -> bytes:
    """Return the page: the mat in its middle, a ruler each way, the values for config.toml."""
    buffer = BytesIO()
    width_mm, height_mm = paper.size_mm
    canvas = Canvas(buffer, pagesize=(width_mm * mm, height_mm * mm), invariant=True, initialFontName="Helvetica")
    canvas.setTitle(f"scannerd mat, {paper.value}")
    canvas.setViewerPreference("PrintScaling", "None")
    left_mm, bottom_mm = (width_mm - paper.mat.width_mm) / 2, (height_mm - paper.mat.height_mm) / 2
    for box in board_boxes(paper.mat):
        _draw_box(canvas, box, left_mm, bottom_mm)
    _draw_centre(canvas, width_mm / 2, height_mm / 2)
    _draw_title(canvas, paper, left_mm, height_mm)
    _draw_ruler(canvas, left_mm, EDGE_MM + 1, along_x=True)
    _draw_ruler(canvas, EDGE_MM + 1, bottom_mm, along_x=False)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw_box(canvas: Canvas, box: Box, left_mm: float, bottom_mm: float) -> None:
    canvas.setFillGray(0 if box.black else 1)
    x_mm, y_mm = box.x_mm + left_mm, box.y_mm + bottom_mm
    canvas.rect(x_mm * mm, y_mm * mm, box.width_mm * mm, box.height_mm * mm, stroke=0, fill=1)


def _draw_centre(canvas: Canvas, x_mm: float, y_mm: float) -> None:
    """A white cross in the black square that lies on the axis: stick a pin through it."""
    canvas.setStrokeGray(1)
    canvas.setLineWidth(0.25 * mm)
    half_mm = CROSS_MM / 2
    canvas.line((x_mm - half_mm) * mm, y_mm * mm, (x_mm + half_mm) * mm, y_mm * mm)
    canvas.line(x_mm * mm, (y_mm - half_mm) * mm, x_mm * mm, (y_mm + half_mm) * mm)


def _draw_title(canvas: Canvas, paper: Paper, left_mm: float, height_mm: float) -> None:
    mat = paper.mat
    canvas.setFillGray(0)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(
        left_mm * mm,
        (height_mm - EDGE_MM - 3) * mm,
        f"[mat] columns = {mat.columns}, rows = {mat.rows}, square_mm = {mat.square_mm:g}, "
        f'marker_mm = {mat.marker_mm:g}, dictionary = "{mat.dictionary}"',
    )
    canvas.drawString(
        left_mm * mm,
        (height_mm - EDGE_MM - 6.5) * mm,
        f"scannerd mat, {paper.value}. Print at 100 %, then measure: both rulers must be {RULER_MM} mm long, "
        "else scale square_mm and marker_mm.",
    )


def _draw_ruler(canvas: Canvas, x_mm: float, y_mm: float, *, along_x: bool) -> None:
    """Draw a ruler from its 0 at (x, y); its ticks point up or right and fit beside the mat."""
    canvas.setStrokeGray(0)
    canvas.setLineWidth(0.15 * mm)
    canvas.setFont("Helvetica", 5)
    _line(canvas, x_mm, y_mm, RULER_MM, along_x)
    for tick in range(RULER_MM + 1):
        length_mm = 3.0 if tick % 10 == 0 else 2.2 if tick % 5 == 0 else 1.4
        if along_x:
            canvas.line((x_mm + tick) * mm, y_mm * mm, (x_mm + tick) * mm, (y_mm + length_mm) * mm)
        else:
            canvas.line(x_mm * mm, (y_mm + tick) * mm, (x_mm + length_mm) * mm, (y_mm + tick) * mm)
    if along_x:
        canvas.drawString((x_mm + RULER_MM + 1) * mm, y_mm * mm, f"{RULER_MM} mm")
    else:
        canvas.drawString(x_mm * mm, (y_mm + RULER_MM + 1) * mm, f"{RULER_MM} mm")


def _line(canvas: Canvas, x_mm: float, y_mm: float, length_mm: float, along_x: bool) -> None:
    end = (x_mm + length_mm, y_mm) if along_x else (x_mm, y_mm + length_mm)
    canvas.line(x_mm * mm, y_mm * mm, end[0] * mm, end[1] * mm)
