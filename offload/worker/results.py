"""What an engine left behind: complete, as its own report says, and hashed for whoever fetches it."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from offload.durable import fsync_tree, replace_file, sha256_of
from offload.wire.bundle import StoredFile
from offload.wire.products import ReconstructionReport
from offload.worker.engine_process import Attempt

REPORT = "report.json"
_FILES = TypeAdapter(tuple[StoredFile, ...])


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


def seal_results(attempt: Attempt) -> tuple[StoredFile, ...]:
    """Make an attempt's results and the list of them durable and return it; done before, it is only read.

    Raises FileNotFoundError if they are no longer there.
    """
    if attempt.done.is_file():
        return _FILES.validate_json(attempt.done.read_bytes())
    fsync_tree(attempt.out)
    listed = list_results(attempt.out)
    if not listed:
        raise FileNotFoundError(f"{attempt.out} holds no results")
    replace_file(attempt.done, _FILES.dump_json(listed))
    return listed


def newest_done(job_folder: Path) -> Attempt | None:
    """Return the newest attempt on this machine whose results are complete, as a worker leaves it that was killed."""
    numbers = sorted((int(path.parent.name) for path in job_folder.glob("attempts/*/done.json")), reverse=True)
    attempts = (Attempt(job_folder, number) for number in numbers)
    return next((attempt for attempt in attempts if attempt.out.is_dir()), None)
