"""Where the installed program begins. A person waits for a scanner to start: every import counts."""

import gc
import importlib
import sys


def main() -> None:
    """Load the command that the arguments name, and run it."""
    # Imports leave next to no garbage; looking for it costs a fifth of the start. The daemon looks again once ready.
    gc.disable()
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:
        importlib.import_module("scannerd.run_command").app(args=arguments[1:], prog_name="scannerd run")
    if arguments[:1] == ["park"]:
        importlib.import_module("scannerd.park").app(args=arguments[1:], prog_name="scannerd park")
    if arguments in ([], ["--help"]):
        importlib.import_module("scannerd.overview").app(args=arguments, prog_name="scannerd")
    command_line = importlib.import_module("scannerd.__main__")
    gc.enable()
    command_line.main()


if __name__ == "__main__":
    main()
