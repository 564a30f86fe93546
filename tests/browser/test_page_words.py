"""The page's words and the daemon's: each setting that the daemon has, the page explains in German."""

import json
from pathlib import Path
from typing import Any

from scannerd.board.state import Mood
from scannerd.config import Config
from scannerd.fault_kind import FaultKind
from scannerd.process.health_report import Trouble
from scannerd.scan.phases import Phase
from scannerd.settings.form import settings_of

WORDS = Path(__file__).resolve().parents[2] / "scannerd" / "control" / "web" / "page" / "src" / "words"


def _words(name: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((WORDS / name).read_text(encoding="utf-8"))
    return words


def test_every_setting_is_explained_in_german() -> None:
    sections = settings_of(Config())
    ids = [key for section in sections for key in (section.name, *(key.id for key in section.keys))]
    assert sorted(_words("settings.de.json")) == sorted(ids)


def test_every_word_of_the_daemon_is_known_to_the_page() -> None:
    expected = {
        *(f"section.{section.name}" for section in settings_of(Config())),
        *(f"mood.{mood}" for mood in Mood),
        *(f"phase.{phase}" for phase in Phase),
        *(f"trouble.{trouble}" for trouble in Trouble),
        *(f"{part}.{kind}" for part in ("fault", "advice") for kind in FaultKind),
    }
    for language in ("en.json", "de.json"):
        assert expected <= set(_words(language)), language
