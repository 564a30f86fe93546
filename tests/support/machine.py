"""A booted machine: systemd as process 1 over a root that is not changed, and commands run inside."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

BOOT_LIMIT_S = 120.0
POWER_OFF_LIMIT_S = 60.0
POLL_S = 0.1
SIGRTMIN_POWER_OFF = signal.SIGRTMIN + 4
"""As systemd(1) defines it for process 1."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


def why_not() -> str | None:
    """Return what keeps this computer from booting such a machine; None when nothing does."""
    if os.geteuid() != 0:
        return "not root"
    missing = [tool for tool in ("systemd-nspawn", "nsenter", "debootstrap") if shutil.which(tool) is None]
    if missing:
        return f"no {', '.join(missing)} (apt install systemd-container util-linux debootstrap)"
    return None


def refusal(root: Path) -> str | None:
    """Return what systemd-nspawn says where the kernel does not let it run; None where it does."""
    done = subprocess.run([*_nspawn(root), "/bin/true"], capture_output=True, text=True, timeout=60)
    return None if done.returncode == 0 else done.stderr.strip() or f"systemd-nspawn ended with {done.returncode}"


def _nspawn(root: Path) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", f"--directory={root}", "--volatile=overlay", "--register=no", "--keep-unit",
        "--private-network", "--console=pipe",
    ]  # fmt: skip


class Machine:
    """A running machine."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def run(self, *command: str, limit_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside; the caller looks at its exit code."""
        inside = ["nsenter", "--target", str(self._pid), "--all", "--", *command]
        return subprocess.run(
            inside, capture_output=True, text=True, timeout=limit_s, env=ENVIRONMENT, stdin=subprocess.DEVNULL
        )

    def output(self, *command: str, limit_s: float = 60.0) -> str:
        """Run a command that must succeed; return what it printed, without the last line break."""
        done = self.run(*command, limit_s=limit_s)
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")

    def shell(self, script: str, limit_s: float = 60.0) -> str:
        """Run a line of shell that must succeed; return what it printed."""
        return self.output("sh", "-ec", script, limit_s=limit_s)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command inside that goes on; the caller ends it."""
        inside = ["nsenter", "--target", str(self._pid), "--all", "--", *command]
        return subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT,
        )

    def read(self, path: str) -> str:
        """Return a file's text."""
        return self.output("cat", path)

    def write(self, path: str, text: str) -> None:
        """Write a file, keeping the owner and mode of one that is there; missing folders are made."""
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.output("sh", "-ec", script, "sh", path, text)

    def shows(self, unit: str, what: str) -> str:
        """Return one property of a unit."""
        return self.output("systemctl", "show", "--property", what, "--value", unit)

    def until(self, what: str, condition: Callable[[], object], limit_s: float) -> float:
        """Wait for a condition; return the seconds it took. Fails with the journal's end."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > limit_s:
                journal = self.run("journalctl", "--no-pager", "--lines=60", "--output=short-monotonic").stdout
                raise AssertionError(f"not in {limit_s:.0f} s: {what}\n{journal}")
            time.sleep(POLL_S)
        return time.monotonic() - began


@contextmanager
def booted(root: Path, shared: dict[Path, str], log: Path) -> Iterator[Machine]:
    """Boot, yield, power off. `shared` are folders of this computer, read-only inside under the names given."""
    binds = [f"--bind-ro={outside}:{inside}" for outside, inside in shared.items()]
    # setpriv: the kernel ends it should the test be killed without a chance to clean up.
    command = ["setpriv", "--pdeathsig", "KILL", *_nspawn(root), *binds, "--boot"]
    with log.open("w") as said:
        container = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            machine = Machine(_first_process(container, log))
            machine.until("systemd is up", lambda: _is_up(machine), BOOT_LIMIT_S)
            yield machine
        finally:
            _power_off(container)


def _first_process(container: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + BOOT_LIMIT_S
    while time.monotonic() < deadline and container.poll() is None:
        for child in psutil.Process(container.pid).children():
            with suppress(psutil.NoSuchProcess):
                if child.name() == "systemd":
                    return child.pid
        time.sleep(POLL_S)
    raise AssertionError(f"systemd did not start in {BOOT_LIMIT_S:.0f} s; the container says:\n{log.read_text()}")


def _is_up(machine: Machine) -> bool:
    return machine.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")


def _power_off(container: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(container.pid).children() if container.poll() is None else []:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(SIGRTMIN_POWER_OFF)
    try:
        container.wait(POWER_OFF_LIMIT_S)
    except subprocess.TimeoutExpired:
        container.kill()
        container.wait()
