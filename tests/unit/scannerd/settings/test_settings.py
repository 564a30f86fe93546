"""Settings as data, and a person's file with values changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scannerd.config import SECTIONS, Config
from scannerd.settings.applies import Applies
from scannerd.settings.file import ConfigFaults, parse_config
from scannerd.settings.form import SettingsKey, changed_text, settings_of
from scannerd.settings.text import documented_toml

HAND_WRITTEN = """\
# The shop's scanner, by the window.   Do not touch pins!

[scan]
views   = 24      # was 36; Erika wanted it faster
settle_s = 0.5

# measured with the steel ruler
[mat]
square_mm = 18.02 # 3 prints
"""


def keys_by_id() -> dict[str, SettingsKey]:
    return {key.id: key for section in settings_of(Config()) for key in section.keys}


def test_every_key_of_the_configuration_is_there_and_is_json() -> None:
    sections = settings_of(Config())
    assert [section.name for section in sections] == list(SECTIONS)
    for section in sections:
        model = type(Config.model_fields[section.name].default)
        assert [key.name for key in section.keys] == list(model.model_fields)
        assert all(key.help and key.value == key.default for key in section.keys)
        assert section.help
        json.dumps(section.model_dump(mode="json"))


def test_a_key_says_all_that_a_form_needs() -> None:
    keys = keys_by_id()
    speed = keys["turntable.max_speed_deg_s"]
    assert (speed.kind, speed.unit, speed.minimum, speed.maximum) == ("number", "°/s", 0.1, 720)
    assert speed.applies is Applies.IDLE
    width = keys["camera.width_px"]
    assert (width.kind, width.multiple, width.value) == ("integer", 2, 1600)
    microsteps = keys["turntable.microsteps"]
    assert (microsteps.kind, microsteps.choices) == ("choice", (1, 2, 4, 8, 16, 32))
    square = keys["mat.square_mm"]
    assert (square.minimum, square.minimum_excluded, square.maximum) == (1, True, 100)
    folder, url, name = keys["store.folder"], keys["offload.url"], keys["device.name"]
    assert (folder.kind, folder.value, folder.optional) == ("path", "/var/lib/scannerd", False)
    assert (url.kind, url.value, url.optional) == ("text", None, True)
    assert (name.min_length, name.max_length) == (1, 60)
    assert keys["quality.ask_a_person"].kind == "boolean"
    assert keys["quality.ask_a_person"].applies is Applies.NOW


def test_a_value_is_changed_and_nothing_else() -> None:
    changed = changed_text(HAND_WRITTEN, {"scan": {"views": 48}, "mat": {"square_mm": 17.98}})
    assert changed == HAND_WRITTEN.replace("= 24 ", "= 48 ").replace("18.02", "17.98")


def test_a_new_key_stands_at_its_sections_end_and_a_new_section_at_the_files() -> None:
    changed = changed_text(HAND_WRITTEN, {"scan": {"max_retakes": 5}, "quality": {"ask_a_person": False}})
    assert changed == (
        HAND_WRITTEN.replace("settle_s = 0.5\n", "settle_s = 0.5\nmax_retakes = 5\n")
        + "\n[quality]\nask_a_person = false\n"
    )


def test_what_the_file_means_already_is_not_written() -> None:
    same = {"scan": {"views": 24, "max_retakes": 2}, "offload": {"url": None}}
    assert changed_text(HAND_WRITTEN, same) == HAND_WRITTEN


def test_an_empty_file_takes_a_key_and_none_empties_it() -> None:
    text = changed_text("", {"offload": {"url": "https://models.example"}})
    assert parse_config(text).offload.url == "https://models.example"
    assert parse_config(changed_text(text, {"offload": {"url": None}})).offload.url is None


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigFaults) as caught:
        changed_text(
            HAND_WRITTEN, {"scan": {"views": 2, "setle_s": 1.0}, "mat": {"marker_mm": 30.0}, "nosuch": {"a": 1}}
        )
    told = "\n".join(caught.value.problems)
    assert "[scan] views = 2: use a whole number, 3 to 720" in told
    assert "[scan] setle_s: unknown; did you mean settle_s?" in told
    assert "[mat] marker_mm = 30" in told
    assert "[nosuch]: unknown section" in told
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("value", [[], {"a": 1}, "\ud800", float("nan"), "thirty", True, 3.5, None, 10**30])
def test_what_is_no_number_of_views_is_refused(value: object) -> None:
    with pytest.raises(ConfigFaults, match="views"):
        changed_text(HAND_WRITTEN, {"scan": {"views": value}})


@pytest.mark.parametrize("name", ["a b", "", "views.x", 'v"', "v\nw", "größe"])
def test_names_cannot_smuggle_in_lines(name: str) -> None:
    with pytest.raises(ConfigFaults):
        changed_text(HAND_WRITTEN, {"scan": {name: 5}})
    with pytest.raises(ConfigFaults):
        changed_text(HAND_WRITTEN, {name: {"views": 5}})


@pytest.mark.parametrize("text", ["[scan\n", "scan = 3\n", "[scan]\nviews = 1\n"])
def test_a_file_that_is_unsound_stays_refused(text: str) -> None:
    with pytest.raises(ConfigFaults):
        changed_text(text, {"scan": {"settle_s": 1.0}})


def test_a_change_can_mend_an_unsound_file() -> None:
    assert parse_config(changed_text("[scan]\nviews = 1\n", {"scan": {"views": 12}})).scan.views == 12


@pytest.mark.parametrize(
    "text", ["scan.views = 24 # dotted\n", "scan = { views = 24 }\n", '[ "scan" ]\nviews = 24\n']
)
def test_other_ways_to_write_a_section_are_changed_soundly_or_refused(text: str) -> None:
    try:
        changed = changed_text(text, {"scan": {"views": 30, "settle_s": 1.5}})
    except ConfigFaults:
        return
    config = parse_config(changed)
    assert (config.scan.views, config.scan.settle_s) == (30, 1.5)


def values_for(key: SettingsKey) -> st.SearchStrategy[Any]:
    if key.kind == "choice":
        return st.sampled_from(key.choices)
    if key.kind == "boolean":
        return st.booleans()
    if key.kind == "integer":
        step = int(key.multiple or 1)
        return st.integers(int(key.minimum or 0) // step, int(key.maximum or 0) // step).map(lambda n: n * step)
    if key.kind == "number":
        return st.floats(key.minimum, key.maximum, exclude_min=key.minimum_excluded)
    if key.pattern is not None:
        return st.from_regex(key.pattern.removesuffix("$") + r"\Z")
    return st.text(min_size=key.min_length or 0, max_size=key.max_length or 40)


def as_read(key: SettingsKey, value: Any) -> Any:
    if key.optional and value == "":
        return None
    return str(Path(value)) if key.kind == "path" else value


ANY_KEY = st.sampled_from(sorted(keys_by_id().values(), key=lambda key: key.id))
KEY_AND_VALUE = ANY_KEY.flatmap(lambda key: st.tuples(st.just(key), values_for(key)))
JUNK = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))


@given(st.lists(KEY_AND_VALUE, max_size=6), st.sampled_from(["", HAND_WRITTEN, documented_toml()]))
@settings(deadline=None, max_examples=150)
def test_a_change_keeps_comments_and_is_read_back(wanted: list[tuple[SettingsKey, Any]], text: str) -> None:
    changes: dict[str, dict[str, Any]] = {}
    for key, value in wanted:
        changes.setdefault(key.id.split(".")[0], {})[key.name] = value
    try:
        changed = changed_text(text, changes)
    except ConfigFaults:
        return  # two sound values may break a rule together
    shown = {key.id: key.value for part in settings_of(parse_config(changed)) for key in part.keys}
    for key, value in {key.id: (key, value) for key, value in wanted}.values():
        assert shown[key.id] == as_read(key, value)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in changed.splitlines() if line.startswith("#")] == comments


@given(
    st.dictionaries(
        st.sampled_from(list(Config.model_fields)), st.dictionaries(st.text(max_size=8), JUNK, max_size=3)
    )
)
@settings(deadline=None, max_examples=150)
def test_whatever_comes_out_is_sound(changes: dict[str, dict[str, Any]]) -> None:
    try:
        changed = changed_text(HAND_WRITTEN, changes)
    except ConfigFaults:
        return
    parse_config(changed)


def test_a_list_is_shown_with_the_bounds_of_its_numbers_and_changed_in_place() -> None:
    config = parse_config("[scan]\nring_elevations_deg = [20, 50.5]\n")
    keys = {key.id: key for section in settings_of(config) for key in section.keys}
    heights, views = keys["scan.ring_elevations_deg"], keys["scan.ring_views"]
    assert (heights.kind, heights.value, heights.default) == ("numbers", (20.0, 50.5), ())
    assert (heights.minimum, heights.maximum, heights.max_length, heights.unit) == (-10, 90, 6, "°")
    assert (views.kind, views.minimum, views.maximum) == ("integers", 3, 720)
    text = changed_text("[scan]\nring_views = [9]  # few\n", {"scan": {"ring_views": [24, 12]}})
    assert text == "[scan]\nring_views = [24, 12]  # few\n"
    assert changed_text(text, {"scan": {"ring_views": [24, 12]}}) == text
    added = changed_text("[scan]\nviews = 24\n", {"scan": {"ring_elevations_deg": [20, 50.5]}})
    assert parse_config(added).scan.ring_elevations_deg == (20.0, 50.5)
    assert changed_text("", {"scan": {"ring_views": []}}) == "", "that is the default"
    with pytest.raises(ConfigFaults, match="dict is no value"):
        changed_text("", {"scan": {"ring_views": [{"a": 1}]}})
