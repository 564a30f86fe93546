"""The scanner as it is installed, on a real kernel: its unit, its pins, its button, the broker, its cable.

Only the camera is simulated. What it sees is turned by STEP edges in the kernel's trace, or by a controller's motor.
Each test goes on where the one before it has ended.
"""

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from guest_person import VIEWS
from guest_world import STEP_DEG
from lamp_reader import mood_of
from true_angles import TRUE_DEG, angle_errors, true_angle_deg
from virtual_machine import VirtualMachine

from scannerd.store.layout import StoreLayout

STORY = "/srv/project/tests/vm/inside/story.py"
LIMIT_S = 3600.0
STEPS_PER_VIEW = 200 * 8 * 3 // VIEWS


def story(machine: VirtualMachine, name: str) -> Any:
    return json.loads(machine.output("python3", STORY, name, limit_s=LIMIT_S).splitlines()[-1])


def photos(packed: str, folder: Path) -> list[dict[str, Any]]:
    """Return of each photo where the platter truly was, by what is painted in it, and how wrong its record is."""
    name, content = packed.split()
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(content))) as archive:
        archive.extractall(folder / "scans", filter="data")
    layout = StoreLayout(folder).scan(name)
    found = [
        {
            "index": error.frame.index,
            "true_deg": round(true_angle_deg(layout.path / error.frame.file.name), 3),
            "wrong_deg": round(error.told_deg, 3),
        }
        for error in angle_errors(layout)
    ]
    print(json.dumps(found))
    return found


def assert_each_view_once_and_true(found: list[dict[str, Any]]) -> None:
    assert sorted(photo["index"] for photo in found) == list(range(VIEWS))
    assert all(abs(photo["wrong_deg"]) < TRUE_DEG for photo in found), found


def test_the_unit_is_active_once_the_daemon_says_so(machine: VirtualMachine) -> None:
    assert story(machine, "started") == {"unit": "active", "says": "idle", "mood": "idle"}


def test_a_press_becomes_a_scan_whose_every_view_is_as_many_edges_as_it_should(
    machine: VirtualMachine, tmp_path: Path
) -> None:
    told = story(machine, "scanned")
    found = photos(told["scan"], tmp_path)
    assert_each_view_once_and_true(found)
    # An angle of the kernel's edges is a number of them; the first photo is where the table stood.
    steps = [round((photo["true_deg"] - found[0]["true_deg"]) % 360 / STEP_DEG) for photo in found]
    assert steps == [view * STEPS_PER_VIEW for view in range(VIEWS)]
    assert told["pulses"] == (VIEWS - 1) * STEPS_PER_VIEW
    assert told["in_vain"] == 0, "no pulse while the motor is off"


def test_a_broker_that_is_killed_and_a_daemon_that_hangs_cost_no_photo(
    machine: VirtualMachine, tmp_path: Path
) -> None:
    told = story(machine, "hung")
    assert told["mood_told_anew"] == "scanning"
    assert told["heard"] == ["offline", "online"], "the last will, and the next daemon's word"
    assert "Failed with result 'watchdog'" in told["journal"]
    assert "stop-post" not in told["journal"], f"scannerd park did not do its work\n{told['journal']}"
    assert_each_view_once_and_true(photos(told["scan"], tmp_path))


def test_a_cable_pulled_in_a_scan_is_asked_about_and_shown_and_the_scan_ends_true(
    machine: VirtualMachine, tmp_path: Path
) -> None:
    # The unit may open the port, too: it began before there was any, and before the driver of such ports was loaded.
    told = story(machine, "unplugged")
    assert told["fault"] == "link_broken"
    assert mood_of([(at_s, lit) for at_s, lit in told["lamp"]]) == "asking", told["lamp"]
    assert_each_view_once_and_true(photos(told["scan"], tmp_path))
