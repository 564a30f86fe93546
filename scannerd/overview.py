"""`scannerd --help`, apart from the commands: who only asks what there is waits for none of them to load."""

import typer

COMMANDS = {
    "run": "Be the daemon: wait for the button until SIGTERM.",
    "timing": "Show where every millisecond of a scan went, also while it runs.",
    "park": "Switch the motors off where the daemon was killed; systemd calls it. Fails while the daemon runs.",
    "scan": "Take one scan and exit: 0 when it is complete, 1 when not (then it can be resumed).",
    "status": "List the scans of the store, oldest first, also while the daemon runs. Exit 1 when one is broken.",
    "export": "Write a scan's photos, masks, lens and camera poses as another program reads them (docs/exports.md).",
    "check-config": "Show every fault of a configuration file at once. Exit 2 when there is one.",
    "sync": "Carry scans to the service of [offload] and models back: `offload sync` with this scanner's settings.",
    "mat": "Draw the turntable mat at true scale.",
    "doctor": "Examine this scanner and say what to do about it: exit 0 when nothing is; see doctor --help.",
    "demo": "Scan an object on the simulated bench, from the button to the model; see demo --help.",
    "bench": "Be the daemon on the simulated bench, with every front door; see bench --help.",
    "bench-hand": "Push the button of a running bench, or ask it for the truth; see bench-hand --help.",
    "version": "Print the version.",
    "calibrate": "What is done once, before the first scan.",
    "pair": "Show a code that pairs a tablet or program, and wait until somebody has typed it. "
    "Exit 1 when nobody did.",
    "tell": "Give the running daemon a command. Exit 0 when it was accepted, 1 with the reason when not.",
    "state": "Say what the running daemon does.",
    "reload": "Let the running daemon read its config.toml again; a faulty one leaves it as it was. Exit 1 then.",
    "jog": "Turn the platter by some degrees, counter-clockwise seen from above; then the motor lets go.",
    "home": "Find the platter's zero and say how; --repeat says how well it is found again.",
}
"""Name → first line of its help. A test holds that the command line itself says the same."""

app = typer.Typer(
    help="Put an object on a turntable, press a button, get a metric, textured 3D model.",
    no_args_is_help=True,
    add_completion=False,
)


def _shown() -> None:
    """Stand for a command that is listed here and lives elsewhere."""


for _name, _line in COMMANDS.items():
    app.command(_name, help=_line)(_shown)
