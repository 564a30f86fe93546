"""What the demo found out, for a person and as one JSON object. The JSON keys are stable."""

from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class PeakMemory:
    """Largest resident size, megabytes (10⁶ bytes)."""

    daemon: float
    """Of the process that scans, while it scanned; the bench's renderer is a process of its own."""
    worker: float
    """Of the worker or its engine, whichever was larger."""


@dataclass(frozen=True)
class Summary:
    """The figures of one demo, in the order in which they are printed."""

    viewpoints: int
    retakes: int
    seconds_per_viewpoint: float
    """Of the first camera, beside whose photos others take theirs; on the bench's clock, which stands still while a
    picture is being computed."""
    floor_seconds_per_viewpoint: float
    """Motion at the configured limits + settling + exposure + readout."""
    bytes_sent: int
    engine_seconds: float
    engine_stages: dict[str, float]
    accuracy_mean_mm: float
    accuracy_p95_mm: float
    completeness_mean_mm: float
    completeness_p95_mm: float
    f_score_0p5mm: float
    f_score_1mm: float
    visible_within_1mm: float
    scale_error_percent: float
    watertight: bool
    triangles: int
    size_mm: tuple[float, float, float]
    glb: str
    preview: str
    contact_sheet: str
    scan: str
    peak_rss_mb: PeakMemory
    demo_seconds: float
    faults: tuple[dict[str, object], ...] = ()
    """Each with what the daemon did about it, in the order in which they struck."""

    def as_json_object(self) -> dict[str, object]:
        """Return plain values, floats rounded to what they mean."""
        return {key: _rounded(value) for key, value in asdict(self).items()}

    def as_table(self) -> Table:
        """Return the summary as a person reads it."""
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, text in self._rows():
            table.add_row(name, text)
        for fault in self.faults:
            lines = fault["daemon"]
            table.add_row(f"{fault['fault']}", f"after {fault['after_photos']} photos: {fault['says']}")
            for line in lines if isinstance(lines, list) else ():
                table.add_row("", f"→ {line}")
        return table

    def _rows(self) -> list[tuple[str, str]]:
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self.engine_stages.items())
        size = " x ".join(f"{length:.1f}" for length in self.size_mm)
        return [
            ("photos", f"{self.viewpoints} ({self.retakes} retaken)"),
            (
                "a viewpoint",
                f"{self.seconds_per_viewpoint:.2f} s; physics alone needs {self.floor_seconds_per_viewpoint:.2f} s",
            ),
            ("sent", f"{self.bytes_sent / MEGABYTE:.1f} MB"),
            ("engine", f"{self.engine_seconds:.1f} s ({stages})"),
            ("size", f"{size} mm, {self.triangles} triangles, {'' if self.watertight else 'NOT '}watertight"),
            ("accuracy", f"mean {self.accuracy_mean_mm:.2f} mm, 95% within {self.accuracy_p95_mm:.2f} mm"),
            (
                "completeness",
                f"mean {self.completeness_mean_mm:.2f} mm, 95% within {self.completeness_p95_mm:.2f} mm",
            ),
            ("F-score", f"{self.f_score_0p5mm:.3f} at 0.5 mm, {self.f_score_1mm:.3f} at 1 mm"),
            ("seen surface", f"{100 * self.visible_within_1mm:.1f}% within 1 mm"),
            ("scale", f"{self.scale_error_percent:+.3f}% off"),
            ("memory", f"daemon {self.peak_rss_mb.daemon:.0f} MB, worker {self.peak_rss_mb.worker:.0f} MB"),
            ("whole demo", f"{self.demo_seconds:.0f} s"),
            ("model", self.glb),
            ("photo | model", self.preview),
            ("all photos", self.contact_sheet),
        ]


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, int):
        return value
    if isinstance(value, tuple | list):
        return [_rounded(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value
