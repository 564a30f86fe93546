import xml.etree.ElementTree as ElementTree

import pytest
from timed_journal import (
    CYCLE_S,
    MOVE_S,
    overlapped_photo,
    overlapped_scan,
    photo_of_before,
    write_journal,
)

from scannerd.store.layout import ScanFolder
from scannerd.timing.chart import chart_of
from scannerd.timing.ink import Look, ticks_s
from scannerd.timing.record import timing_of

SVG = "{http://www.w3.org/2000/svg}"


def drawn(tmp_path, lines, look: Look = Look.AUTO, name: str = "mug") -> ElementTree.Element:
    folder = ScanFolder(write_journal(tmp_path / name, lines))
    return ElementTree.fromstring(chart_of(timing_of(folder), look))


def bars(chart: ElementTree.Element, stage: str) -> list[ElementTree.Element]:
    return [bar for bar in chart.iter(f"{SVG}rect") if bar.get("class") == f"s-{stage}" and len(bar)]


def test_every_photo_has_its_bars_and_they_tell_their_numbers(tmp_path):
    chart = drawn(tmp_path, overlapped_scan(12))
    said = [bar.findtext(f"{SVG}title") for bar in bars(chart, "move")]
    assert {f"photo {index} at {index * 10:.2f}°: move {MOVE_S * 1000:.1f} ms" for index in range(12)} <= set(said)
    width, height = (float(chart.get(side)) for side in ("width", "height"))
    for bar in chart.iter(f"{SVG}rect"):
        x, y = float(bar.get("x")), float(bar.get("y"))
        assert 0 <= x <= x + float(bar.get("width")) <= width
        assert 0 <= y <= y + float(bar.get("height")) <= height


def test_bars_are_as_long_as_their_stages(tmp_path):
    chart = drawn(tmp_path, overlapped_scan(12))
    move, judge = (float(bars(chart, stage)[-1].get("width")) for stage in ("move", "judge"))
    assert move / judge == pytest.approx(MOVE_S / 0.09, rel=0.01)


def test_the_chart_needs_nothing_else(tmp_path):
    text = ElementTree.tostring(drawn(tmp_path, overlapped_scan(3)), encoding="unicode")
    for foreign in ("href", "@import", "url(", "<script", "src="):
        assert foreign not in text
    assert "prefers-color-scheme" in text


@pytest.mark.parametrize(("look", "ground"), [(Look.LIGHT, "#ffffff"), (Look.DARK, "#151c25")])
def test_a_chosen_look_does_not_ask_the_room(tmp_path, look, ground):
    text = ElementTree.tostring(drawn(tmp_path, overlapped_scan(3), look), encoding="unicode")
    assert f"--ground:{ground}" in text
    assert "prefers-color-scheme" not in text


def test_waits_and_further_attempts_are_seen(tmp_path):
    late = overlapped_photo(2, 2 * CYCLE_S + 0.5, waited_s=0.5)
    chart = drawn(tmp_path, [*overlapped_scan(2), late, overlapped_photo(3, 4 * CYCLE_S + 1, attempt=2)])
    assert bars(chart, "wait")
    assert "attempt 2" in [text.text for text in chart.iter(f"{SVG}text")]


@pytest.mark.parametrize("photos", [1, 2, 1000])
def test_scans_of_any_length(tmp_path, photos):
    assert 300 < float(drawn(tmp_path, overlapped_scan(photos)).get("height")) < 4000


def test_a_journal_of_before_is_drawn_end_to_end(tmp_path):
    chart = drawn(tmp_path, [photo_of_before(index) for index in range(5)])
    assert len(bars(chart, "store")) >= 5


def test_one_photo_that_took_for_ever_does_not_squeeze_the_others(tmp_path):
    lines = overlapped_scan(20)
    lines[7]["times"]["stages"]["write"][1] += 60.0
    chart = drawn(tmp_path, lines)
    assert float(bars(chart, "move")[-1].get("width")) > 200
    assert any(text.text.endswith("61.0 s") or text.text.startswith("61.") for text in chart.iter(f"{SVG}text"))


def test_ticks_are_round():
    assert ticks_s(1.0, 12) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert ticks_s(0.0, 5) == [0.0]
