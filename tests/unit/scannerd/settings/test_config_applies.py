from scannerd.config import Config, QualitySection, ScanSection, StoreSection
from scannerd.config_motors import TurntableSection
from scannerd.settings.applies import KEYS, SECTIONS, Applies, applies, changes, in_force


def test_every_section_and_every_key_named_is_in_the_configuration() -> None:
    assert set(Config.model_fields) <= set(SECTIONS)
    for section, key in KEYS:
        assert key in type(Config.model_fields[section].default).model_fields


def test_a_key_may_differ_from_its_section() -> None:
    assert applies("camera", "exposure_us") is Applies.IDLE
    assert applies("camera", "jpeg_quality") is Applies.NOW


def test_changes_name_the_key_and_both_values() -> None:
    new = Config(scan=ScanSection(views=48), turntable=TurntableSection(invert=True))
    first, second = changes(Config(), new)
    assert (first.name, first.old, first.new, first.applies) == ("[turntable] invert", False, True, Applies.IDLE)
    assert (second.name, second.new, second.applies) == ("[scan] views", 48, Applies.NOW)
    assert changes(new, new) == ()


def test_what_needs_a_restart_stays_in_force_until_then() -> None:
    new = Config(store=StoreSection(reserve_mb=9), quality=QualitySection(ask_a_person=False))
    taken = in_force(Config(), new)
    assert taken.store == StoreSection()
    assert taken.quality == new.quality
