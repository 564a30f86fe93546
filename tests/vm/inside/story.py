"""Inside: one story of a person and an installed scanner, by name; prints what came of it as JSON."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import guest_cable
import guest_person as person
import guest_pins
import guest_world

LAMP_S = 20.0
"""So long somebody looks at the lamp."""
DRIVER = Path("/sys/module/cdc_acm")
"""Of serial ports on USB."""


def started() -> dict[str, Any]:
    """The unit is started."""
    person.set_up()
    person.start()
    active = {"unit": person.shows("ActiveState"), "says": person.shows("StatusText")}
    person.until("the broker knows", lambda: person.retained("availability") == "online")
    return active | {"mood": person.state()["mood"]}


def scanned() -> dict[str, Any]:
    """The button is pressed, and pressed for a scan."""
    before = guest_world.seen()
    person.press()
    person.until("the broker knows", lambda: person.state()["mood"] == "scanning")
    scan = person.scan_number(1)
    person.until("the motor is off", lambda: guest_pins.level(person.ENABLE) == 1)
    after = guest_world.seen()
    return {"scan": scan, "pulses": after.pulses - before.pulses, "in_vain": after.in_vain}


def hung() -> dict[str, Any]:
    """The broker is killed in a scan, and then the daemon hangs."""
    person.press()
    person.until("a photo is taken", lambda: person.taken() >= 1)
    person.run("systemctl", "kill", "--signal=KILL", "mosquitto.service")
    person.run("systemctl", "start", "mosquitto.service")
    person.until("the new broker knows", lambda: person.retained("availability") == "online")
    found: dict[str, Any] = {"mood_told_anew": person.state()["mood"]}
    said, restarts = len(person.heard()), int(person.shows("NRestarts"))
    person.run("kill", "-STOP", person.shows("MainPID"))
    person.until("the watchdog bites", lambda: int(person.shows("NRestarts")) == restarts + 1)
    person.until("it is back", lambda: person.heard()[said:][-1:] == ["online"])
    found |= {"scan": person.scan_number(2), "heard": person.heard()[said:], "journal": person.journal()}
    return found


def unplugged() -> dict[str, Any]:
    """A serial turntable's cable is pulled in a scan; the daemon began before any such port was there."""
    subprocess.run(["modprobe", "-r", "cdc-acm"], check=False)
    assert not DRIVER.exists(), f"{DRIVER}: something holds it"
    person.configure("grbl")
    person.start()
    person.begin_controller()
    _plug_in()
    person.press()
    person.until("a photo is taken", lambda: person.taken() >= 1)
    guest_cable.pull()
    person.until("it asks", lambda: person.state()["mood"] == "asking")
    found: dict[str, Any] = {"fault": person.state()["scan"]["fault_kind"]}
    time.sleep(LAMP_S)
    found["lamp"] = person.lamp_changes()
    _plug_in()
    person.press()
    found["scan"] = person.scan_number(3)
    person.tidy_up()
    return found


def _plug_in() -> None:
    guest_cable.plug_in()
    person.until("udev names the port", guest_cable.PORT.exists)


if __name__ == "__main__":
    print(json.dumps({story.__name__: story for story in (started, scanned, hung, unplugged)}[sys.argv[1]]()))
