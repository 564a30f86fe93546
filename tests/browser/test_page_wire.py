"""What the page's types say of the daemon's state: every field of it, and no other."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from scannerd.board import state

WIRE = Path(__file__).resolve().parents[2] / "scannerd" / "control" / "web" / "page" / "src" / "api" / "wire.ts"
NAMES: dict[type[BaseModel], str] = {
    state.DeviceState: "DeviceState",
    state.RunningScan: "RunningScan",
    state.EndedScan: "EndedScan",
    state.Remark: "Remark",
    state.UploadProgress: "UploadProgress",
    state.CoverageShown: "Coverage",
    state.ProposalShown: "Proposal",
    state.HomingShown: "Homing",
}


def fields_of(interface: str) -> set[str]:
    text = WIRE.read_text(encoding="utf-8")
    found = re.search(rf"export interface {interface} \{{(.*?)\n\}}", text, re.DOTALL)
    assert found is not None, f"wire.ts has no {interface}"
    return set(re.findall(r"^  (\w+)\??:", found[1], re.MULTILINE))


@pytest.mark.parametrize("shown", NAMES, ids=NAMES.values())
def test_the_page_knows_every_field_of_the_state_and_no_other(shown: type[BaseModel]) -> None:
    assert fields_of(NAMES[shown]) == set(shown.model_fields)
