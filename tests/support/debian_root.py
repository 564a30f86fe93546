"""What the system test boots: a Debian 12 made once by debootstrap, and the wheels it installs; kept between runs."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RELEASE = "bookworm"
PYTHON = "3.11"
"""Of that release."""
PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "iproute2", "procps",
    "python3", "python3-venv", "mosquitto", "mosquitto-clients",
)  # fmt: skip
DEBOOTSTRAP_LIMIT_S = 480
LOCK = REPOSITORY / "scripts" / "requirements.lock"
NOT_INSTALLED = (
    "mypy", "ruff", "pytest", "hypothesis", "playwright", "schemathesis", "import-linter", "grimp",
    "kubernetes-validate", "check-jsonschema",
)  # fmt: skip
"""Tools for developing; what else the lock holds for them does little harm."""


def cache_folder() -> Path:
    """Where roots and wheels stay between runs."""
    if named := os.environ.get("SCANNERD_TEST_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "scannerd-tests"


def debian_root() -> Path:
    """Return the root, made by debootstrap unless it is there."""
    return kept("debian-12", (RELEASE, *PACKAGES), _bootstrap)


def wheels() -> Path:
    """Return a folder with every wheel of the lock but the tools', downloaded unless it is there."""
    return kept("wheels", (LOCK.read_text(), *NOT_INSTALLED, PYTHON), _download)


def project_wheel(out: Path) -> Path:
    """Build this checkout's wheel, without the page: a page needs Node, and no unit needs the page."""
    command = [str(REPOSITORY / "scripts" / "build-wheel"), "--no-page", str(out)]
    done = checked(command, 120, {**os.environ, "PYTHON": sys.executable})
    return Path(done.stdout.splitlines()[-1])


def kept(kind: str, made_from: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """Return the folder for this content; one that was not finished is made anew, outdated ones go."""
    key = hashlib.sha256("\n".join(made_from).encode()).hexdigest()[:12]
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    wanted = cache / f"{kind}-{key}"
    with _locked(cache / f"{kind}.lock"):
        if not wanted.is_dir():
            for outdated in cache.glob(f"{kind}-*"):
                shutil.rmtree(outdated)
            unfinished = Path(tempfile.mkdtemp(prefix=f"{kind}-", suffix=".unfinished", dir=cache))
            unfinished.chmod(0o755)
            make(unfinished)
            unfinished.rename(wanted)
    return wanted


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _bootstrap(folder: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, str(folder), _mirror()]
    checked(command, DEBOOTSTRAP_LIMIT_S)
    shutil.rmtree(folder / "var" / "cache" / "apt" / "archives")


def _mirror() -> str:
    """Return the mirror that this machine's apt uses."""
    for file in sorted(Path("/etc/apt").glob("sources.list.d/*.sources")):
        if found := re.search(r"^URIs:\s*(\S+)", file.read_text(), re.MULTILINE):
            return found[1]
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt").glob("sources.list.d/*.list"))):
        if file.exists() and (found := re.search(r"^deb\s+(?:\[.*?\]\s*)?(\S+)", file.read_text(), re.MULTILINE)):
            return found[1]
    raise RuntimeError("apt's sources name no mirror: there is nothing to make a Debian from")


def _download(folder: Path) -> None:
    lines = [line for line in LOCK.read_text().splitlines() if line and not line.startswith(("#", *NOT_INSTALLED))]
    needs = folder / "needs.txt"
    needs.write_text("\n".join(lines))
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for_release = ["--only-binary", ":all:", "--python-version", PYTHON]
    checked([*pip, *for_release, "--dest", str(folder), "--requirement", str(needs)], 400)
    needs.unlink()


def checked(
    command: list[str], limit_s: float, environment: dict[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed, in this folder."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, env=environment, cwd=folder)
    assert done.returncode == 0, (
        f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    )
    return done
