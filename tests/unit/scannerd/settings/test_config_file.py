import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scannerd.config import SECTIONS, Config
from scannerd.settings.file import ConfigFaults, parse_config, read_config
from scannerd.settings.text import documented_toml

ROOT_FILE = Path(__file__).resolve().parents[4] / "config.toml"


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigFaults) as caught:
        parse_config(text)
    return caught.value.problems


def test_the_root_file_documents_every_key_with_its_default() -> None:
    text = ROOT_FILE.read_text()
    assert read_config(ROOT_FILE) == Config()
    tables = tomllib.loads(text)
    assert {name: set(table) for name, table in tables.items()} == {
        name: set(type(getattr(Config(), name)).model_fields) for name in SECTIONS
    }
    assert text == documented_toml(), "write it anew with `scannerd check-config --defaults > config.toml`"


def test_an_empty_file_is_all_defaults() -> None:
    assert parse_config("") == Config()


def test_all_faults_are_shown_at_once_in_the_documented_form() -> None:
    with pytest.raises(ConfigFaults) as caught:
        parse_config("[turntable]\nmicrosteps = 15\n[scan]\nsetle_s = 1\n", "/etc/scannerd/config.toml")
    assert str(caught.value) == (
        "/etc/scannerd/config.toml, 2 problems\n"
        "  [turntable] microsteps = 15: use 1, 2, 4, 8, 16, 32\n"
        "  [scan] setle_s: unknown; did you mean settle_s?"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[scann]\nviews = 3", "[scann]: unknown section; did you mean [scan]?"),
        ("[turntable]\nsetle_s = 1", "[turntable] setle_s: unknown; did you mean [scan] settle_s?"),
        ("scan = 3", "scan = 3: write a section [scan]"),
        ("[scan]\nviews = 2", "[scan] views = 2: use a whole number, 3 to 720"),
        ("[scan]\nviews = 36.5", "[scan] views = 36.5: use a whole number, 3 to 720"),
        ("[scan]\nviews = true", "[scan] views = true: use a whole number, 3 to 720"),
        ("[scan]\nsettle_s = nan", "[scan] settle_s = nan: use 0 to 30 s"),
        ("[turntable]\ninvert = 1", "[turntable] invert = 1: use true or false"),
        ("[turntable]\ngear_ratio = '3'", '[turntable] gear_ratio = "3": use 0.1 to 200'),
        ("[store]\nfolder = 3", "[store] folder = 3: use a path in quotes"),
        ("[store]\nfolder = ''", '[store] folder = "": use a path in quotes'),
        ("[camera]\ndriver = 'gphoto'", '[camera] driver = "gphoto": use "picamera2", "v4l2"'),
        ("[mat]\nmarker_mm = 18", "[mat] marker_mm = 18: markers stand inside squares of 18 mm; use less than 18"),
        ("[button]\npin = 17", "[button] pin = 17: [turntable] step_pin has this pin already; use another"),
        ("[led]\npin = 23", "[led] pin = 23: [button] pin has this pin already; use another"),
        (
            "[light]\ndriver = 'gpio'\npin = 24",
            "[light] pin = 24: [led] pin has this pin already; use another",
        ),
        ("[light]\nlevel = 1.5", "[light] level = 1.5: use 0 to 1"),
        ("[light]\nfrequency_hz = 5", "[light] frequency_hz = 5: use a whole number, 50 to 10000 Hz"),
        (
            "[mat]\ncolumns = 30\nrows = 20",
            "need 300 markers, DICT_4X4_250 has 250; use fewer squares or DICT_4X4_1000",
        ),
        ("[turntable]\nmicrosteps = 32\ngear_ratio = 100\nmax_speed_deg_s = 90", "160000 steps/s"),
        ("[intrinsics]\nfile = '/nowhere/lens.json'", "cannot be read: No such file or directory"),
        ("[lift]\ndriver = 'stepper_gpio'\nstep_pin = 5", "[lift] step_pin = 5: [turntable] enable_pin has this pin"),
        ("[lift]\nlowest_deg = 80", "[lift] lowest_deg = 80: use less than highest_deg = 70"),
        ("[lift]\nhome_deg = 5", "[lift] home_deg = 5: use 10 to 70, its soft limits"),
        ("[lift]\nmax_speed_deg_s = 90\nstep_deg = 0.001", "90000 steps/s, the driver can do 40000; use at most 40"),
        ("[scan]\nring_views = [36, 2]", "ring_views = 2: use up to 6 whole numbers in [ ], each 3 to 720"),
        (
            "[scan]\nring_elevations_deg = 30",
            "ring_elevations_deg = 30: use up to 6 numbers in [ ], each -10 to 90",
        ),
        ("[scan]\nring_views = [9, 9, 9, 9, 9, 9, 9]", "use up to 6 whole numbers"),
        ("[scan]\nring_views = [9]\nring_elevations_deg = [20, 50]", "ring_views 1 and ring_elevations_deg 2 rings"),
        ("[scan]\nrings = 3\nring_views = [9, 9]", "[scan] rings = 3: ring_views names 2; use 2, or leave it out"),
        ("[scan]\nviews = 720\nrings = 6", "4320 photos: a scan has at most 4000"),
        (
            "[lift]\ndriver = 'stepper_gpio'\n[scan]\nring_elevations_deg = [20, 80]",
            "[scan] ring 2 at 80°: the lift goes from 10° to 70°",
        ),
        ("[scan\n", "not TOML"),
    ],
)
def test_a_fault_says_what_to_write_instead(text: str, says: str) -> None:
    (problem,) = faults(text)
    assert says in problem


def test_what_is_not_fitted_claims_no_pin() -> None:
    config = parse_config("[light]\npin = 17\n[led]\ndriver = 'none'\npin = 27\n")
    assert (config.light.driver, config.led.driver) == ("none", "none")


def test_intrinsics_of_another_photo_size_are_a_fault(tmp_path: Path) -> None:
    lens = tmp_path / "lens.json"
    lens.write_text('{"width_px": 800, "height_px": 600, "fx_px": 1000, "fy_px": 1000, "cx_px": 400, "cy_px": 300}')
    (problem,) = faults(f'[intrinsics]\nfile = "{lens}"')
    assert "for photos of 800x600, the camera is set to 1600x1200" in problem
    sound = parse_config(f'[intrinsics]\nfile = "{lens}"\n[camera]\nwidth_px = 800\nheight_px = 600')
    assert sound.intrinsics.file == lens


def test_a_file_that_cannot_be_read_is_one_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match="1 problem\n  cannot be read: No such file"):
        read_config(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b'[device]\nname = "\xe9"')
    with pytest.raises(ConfigFaults, match="not UTF-8"):
        read_config(tmp_path / "latin.toml")


scalars = st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=8))


def toml(value: object) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else "?" for letter in value) + '"'
    return str(value).lower() if isinstance(value, bool) else repr(value)


keys = [(name, key) for name in SECTIONS for key in type(getattr(Config(), name)).model_fields]


@given(st.sampled_from(keys), scalars)
def test_any_value_gives_a_sound_config_or_a_fault_that_names_the_key(place: tuple[str, str], value: object) -> None:
    section, key = place
    if isinstance(value, str):
        value = "".join(letter for letter in value if 32 < ord(letter) < 0xD800)
    problems: tuple[str, ...] = ()
    try:
        config = parse_config(f"[{section}]\n{key} = {toml(value)}\n")
    except ConfigFaults as error:
        problems = error.problems
    if problems:
        assert any(f"[{section}]" in problem for problem in problems)
    else:
        assert parse_config(documented_toml(config)) == config
