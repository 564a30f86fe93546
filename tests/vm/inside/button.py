"""Inside: our button on a line whose pull is changed from outside, bounces included."""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from guest_pins import pull

from drivers.button_gpio import GpioButton
from drivers.options import ButtonGpioOptions

OPTIONS = ButtonGpioOptions()
HEARD_IN_S = 5.0


def main() -> None:
    """Print what the button said about each press as JSON."""
    pull(OPTIONS.pin, up=True)
    button = GpioButton(OPTIONS)
    heard: list[tuple[bool, float]] = []
    button.on_edge(lambda closed, at_s: heard.append((closed, at_s)))
    said = []
    for closed in (True, False, True, False):
        began_s = time.monotonic()
        pull(OPTIONS.pin, up=not closed)
        ended_s = time.monotonic()
        while not heard and time.monotonic() - ended_s < HEARD_IN_S:
            time.sleep(0.001)
        said.append(
            {
                "closed": closed,
                "heard": [edge[0] for edge in heard],
                "told_after_ms": round((time.monotonic() - began_s) * 1e3, 1),
                "edge_is_in_time": all(began_s - 0.01 <= at_s <= time.monotonic() for _, at_s in heard),
                "contact": button.closed_contact,
            }
        )
        heard.clear()
    button.close()
    print(json.dumps(said))


main()
