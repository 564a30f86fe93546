"""The command line of the far side: `offload serve | work | prepare | sync | tenant | key | reconstruct | …`.

Each command's module is loaded only when it is called, so that a device need not have what the cloud needs.
"""

import importlib
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """Where a command lives and what it needs."""

    module: str
    app: str
    extra: str
    """Of the distribution, that installs what the module imports."""
    purpose: str


_COUNTER = "offload.people.tenant_commands"

COMMANDS = {
    "serve": Command("offload.service.__main__", "app", "cloud", "take uploads and bundles, tell of jobs (HTTP)"),
    "work": Command("offload.worker.__main__", "app", "cloud", "run the jobs"),
    "prepare": Command("offload.depot.prepare", "app", "cloud", "make database and storage ready for serve and work"),
    "sync": Command("offload.sync.__main__", "app", "edge", "carry a device's scans up and their models back"),
    "tenant": Command(_COUNTER, "tenant_app", "cloud", "who uses the service"),
    "user": Command(_COUNTER, "user_app", "cloud", "people of a tenant"),
    "project": Command(_COUNTER, "project_app", "cloud", "what a tenant's jobs are sorted by"),
    "key": Command("offload.people.key_commands", "key_app", "cloud", "keys that open the service to a tenant"),
    "audit": Command("offload.people.key_commands", "audit_app", "cloud", "who did what"),
    "tidy": Command(_COUNTER, "tidy_app", "cloud", "delete what is kept no longer"),
    "takeover": Command("offload.people.worker_commands", "takeover_app", "cloud", "hand out a lost worker's jobs"),
    "reconstruct": Command(
        "offload.engines.cli", "reconstruct_app", "cloud", "a folder of photos with poses to a model"
    ),
    "reconstruct-bundle": Command(
        "offload.engines.cli", "bundle_app", "cloud", "a sealed scan to a model, for workers"
    ),
}


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<20}{command.purpose}" for name, command in COMMANDS.items()]
    return (
        "usage: offload COMMAND [OPTIONS]\n\ncommands:\n"
        + "\n".join(lines)
        + "\n\n`offload COMMAND --help` tells more."
    )


def load(name: str) -> Any:
    """Return the command's typer application. Raises SystemExit when what it needs is not installed."""
    command = COMMANDS[name]
    try:
        return getattr(importlib.import_module(command.module), command.app)
    except ModuleNotFoundError as error:
        missing = error.name or "a module"
        if missing.split(".")[0] == "offload":
            raise
        raise SystemExit(
            f"offload {name} needs {missing}, which is not installed here; install it with: "
            f"pip install 'scannerd[{command.extra}]'"
        ) from error


def main() -> None:
    """Run the command that the first argument names."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        raise SystemExit(0 if arguments else 2)
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"offload: no command {name!r}\n\n{usage()}", file=sys.stderr)
        raise SystemExit(2)
    load(name)(args=rest, prog_name=f"offload {name}")


if __name__ == "__main__":
    main()
