"""What systemd knows of a unit."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEMD = Path("/run/systemd/system")
"""There while systemd runs the machine."""
ANSWERS_WITHIN_S = 5.0
ASKED = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "WatchdogUSec",
    "NRestarts",
    "Result",
    "User",
    "SupplementaryGroups",
)


class NoSystemd(RuntimeError):
    """Nobody can be asked. The message says why."""


@dataclass(frozen=True)
class Unit:
    """One unit as `systemctl show` has it."""

    name: str
    facts: dict[str, str]

    @property
    def is_installed(self) -> bool:
        """Whether systemd has a file for it."""
        return self.facts.get("LoadState") not in (None, "", "not-found")

    @property
    def user(self) -> str | None:
        """Who it runs as; None: root, or nobody knows."""
        return self.facts.get("User") or None

    @property
    def groups(self) -> tuple[str, ...]:
        """Those that it has besides its user's."""
        return tuple(self.facts.get("SupplementaryGroups", "").split())


def unit(name: str) -> Unit:
    """Ask for one. Raises NoSystemd."""
    program = shutil.which("systemctl")
    if program is None or not SYSTEMD.is_dir():
        raise NoSystemd("systemd does not run this machine")
    command = [program, "show", name, f"--property={','.join(ASKED)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWERS_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSystemd(f"systemctl does not answer: {error}") from error
    if done.returncode != 0:
        raise NoSystemd(f"systemctl show {name}: {done.stderr.strip() or done.returncode}")
    return Unit(name, dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line))
