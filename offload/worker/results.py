"""What an engine left behind: complete, as its own report says, and hashed for whoever fetches it."""

from pathlib import Path

from pydantic import ValidationError

from offload.durable import sha256_of
from offload.wire.bundle import StoredFile
from offload.wire.products import ReconstructionReport

REPORT = "report.json"


class ResultsIncomplete(RuntimeError):
    """The engine said that it was done, but a result is missing or empty."""


def check_results(out: Path) -> None:
    """Raise ResultsIncomplete unless `out` holds a valid report and every file it names."""
    try:
        report = ReconstructionReport.model_validate_json((out / REPORT).read_bytes())
    except OSError as problem:
        raise ResultsIncomplete(f"the engine said that it was done, but left no {REPORT}") from problem
    except ValidationError as problem:
        raise ResultsIncomplete(f"the engine's {REPORT} is not valid: {problem}") from problem
    for name in report.files:
        path = out / name
        if not path.is_file() or path.stat().st_size == 0:
            raise ResultsIncomplete(f"the engine's report names {name}, but it is missing or empty")


def list_results(folder: Path) -> tuple[StoredFile, ...]:
    """Return every file of a results folder with its hash, by name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 0)
    return tuple(
        StoredFile(name=path.relative_to(folder).as_posix(), sha256=sha256_of(path), size_bytes=path.stat().st_size)
        for path in paths
    )
