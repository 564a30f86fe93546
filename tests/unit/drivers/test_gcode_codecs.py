"""Line and reply pairs of serial controllers, all of which must be consumed, however their bytes arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gcode import grbl, marlin, table
from drivers.gcode.grbl import GrblCodec
from drivers.gcode.lines import Garbled
from drivers.gcode.marlin import MarlinCodec, numbered
from drivers.gcode.table import TableCodec

GRBL_TALK: list[tuple[str | None, bytes, list[grbl.Event]]] = [
    (None, b"\r\nGrbl 1.1h ['$' for help]\r\n", [grbl.Started("1.1h")]),
    (None, b"GrblHAL 1.1f ['$' or '$HELP' for help]\r\n", [grbl.Started("1.1f")]),
    (None, b"[MSG:'$H'|'$X' to unlock]\r\n", [grbl.Message("MSG", "'$H'|'$X' to unlock")]),
    (None, b">G54G20:ok\r\n", [grbl.StartupLine(">G54G20:ok")]),
    (
        "$X",
        b"[MSG:Caution: Unlocked]\r\nok\r\n",
        [grbl.Message("MSG", "Caution: Unlocked"), grbl.Done("$X")],
    ),
    (
        "$$",
        b"$0=10\r\n$100=80.000\r\n$132=200.000\r\nok\r\n",
        [grbl.Setting(0, "10"), grbl.Setting(100, "80.000"), grbl.Setting(132, "200.000"), grbl.Done("$$")],
    ),
    ("$N", b"$N0=G54\r\n$N1=\r\nok\r\n", [grbl.StartupLine("$N0=G54"), grbl.StartupLine("$N1="), grbl.Done("$N")]),
    ("$J=G90G21G53X9.0000F60.00", b"ok\r\n", [grbl.Done("$J=G90G21G53X9.0000F60.00")]),
    ("$J=X900F60", b"error:15\r\n", [grbl.Refused("$J=X900F60", 15)]),
    (None, b"<Idle|MPos:0.000,-10.000,5.000|FS:0,0>\r\n", [grbl.Report("Idle", None, (0.0, -10.0, 5.0))]),
    (None, b"<Hold:1|MPos:1.000,2.000,3.000,4.000|F:500|Ov:100,100,100>\r\n", [grbl.Report("Hold", 1, (1, 2, 3, 4))]),
    (None, b"<Run|WPos:1.000,0.000,0.000|FS:500,0|Pn:XYZ>\r\n", [grbl.Report("Run", None, None)]),
    (None, b"<Run|WPos:1.000,0.000,0.000|FS:9,0|WCO:2.000,0.000,0.500>\r\n", [grbl.Report("Run", None, (3, 0, 0.5))]),
    (None, b"<Run|WPos:2.000,0.000,0.000|Bf:15,128|Ln:7|FS:9,0>\r\n", [grbl.Report("Run", None, (4, 0, 0.5))]),
    (None, b"ALARM:3\r\n", [grbl.Alarmed(3)]),
    ("$SLP", b"ok\r\n[MSG:Sleeping]\r\n", [grbl.Done("$SLP"), grbl.Message("MSG", "Sleeping")]),
]


def test_every_grbl_line_has_its_reply() -> None:
    codec = GrblCodec()
    for line, reply, expected in GRBL_TALK:
        if line is not None:
            assert codec.line(line) == line.encode() + b"\n"
        assert codec.take(reply) == expected
        assert codec.unanswered == ()


@st.composite
def chopped(draw: st.DrawFn, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=20)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


REPORTS = b"".join(reply for line, reply, _ in GRBL_TALK if line is None)


@given(chopped(REPORTS))
def test_any_chopping_gives_the_same_events(pieces: list[bytes]) -> None:
    whole, chopped_up = GrblCodec(), GrblCodec()
    assert [event for piece in pieces for event in chopped_up.take(piece)] == whole.take(REPORTS)


@given(st.binary(max_size=300))
def test_noise_never_answers_a_line(noise: bytes) -> None:
    codec = GrblCodec()
    codec.line("$J=G90G21G53X9.0000F60.00")
    events = codec.take(noise + b"\n")
    if b"ok" not in noise:
        assert not any(isinstance(event, grbl.Done) for event in events)


@given(st.integers(0, 3), st.sampled_from(["drop", *range(1, 256)]))
def test_a_damaged_ok_is_no_answer(place: int, change: object) -> None:
    reply = bytearray(b"ok\r\n")
    if change == "drop":
        del reply[place]
    else:
        assert isinstance(change, int)
        reply[place] ^= change
    codec = GrblCodec()
    codec.line("$X")
    events = codec.take(bytes(reply) + b"\r\n")
    whole_lines = bytes(reply).replace(b"\r", b"\n").split(b"\n")
    if b"ok" in whole_lines:
        assert events[0] == grbl.Done("$X")
    else:
        assert isinstance(events[0], Garbled)
        assert codec.unanswered == ("$X",)


@pytest.mark.parametrize("raw", [b"ok\n", b"error:9\n"])
def test_an_answer_that_nobody_asked_for_is_garbled(raw: bytes) -> None:
    assert GrblCodec().take(raw) == [Garbled(raw.strip())]


@pytest.mark.parametrize(
    "raw",
    [
        b"<Idle|MPos:0.000,0.000.000|FS:0,0>",
        b"<Ide|MPos:0.000|FS:0,0>",
        b"Idle|MPos:0.0>",
        b"<Idle|FS:0,0>",
        b"eror:9",
    ],
)
def test_a_damaged_report_is_none(raw: bytes) -> None:
    assert GrblCodec().take(raw + b"\r\n") == [Garbled(raw)]


def test_the_receive_buffer_is_never_overrun() -> None:
    codec = GrblCodec()
    line = "G1 X1.0000 F600"
    while codec.fits(line):
        codec.line(line)
    assert grbl.RX_BYTES - len(line) <= codec.waiting_bytes <= grbl.RX_BYTES
    with pytest.raises(grbl.LineTooLong, match="wait for ok"):
        codec.line(line)
    codec.take(b"ok\r\n")
    assert codec.fits(line)


def test_a_banner_forgets_what_was_sent() -> None:
    codec = GrblCodec()
    codec.line("$H")
    codec.take(b"\r\nGrbl 1.1h ['$' for help]\r\n")
    assert codec.waiting_bytes == 0


def test_every_error_and_alarm_is_in_words() -> None:
    assert {*range(1, 18), *range(20, 39)} == set(grbl.ERRORS)
    assert set(range(1, 10)) == set(grbl.ALARMS)
    assert not grbl.Alarmed(2).loses_position
    assert grbl.Alarmed(3).loses_position


MARLIN_TALK: list[tuple[str, bytes, list[marlin.Event]]] = [
    ("G1 X10.0000 F600.00", b"ok\r\n", [marlin.Done("G1 X10.0000 F600.00")]),
    ("M400", b"echo:busy: processing\r\nok\r\n", [marlin.Busy("processing"), marlin.Done("M400")]),
    (
        "M114",
        b"X:10.00 Y:0.00 Z:0.00 E:0.00 Count X:800 Y:0 Z:0\r\nok\r\n",
        [
            marlin.Position({"X": 10.0, "Y": 0.0, "Z": 0.0, "E": 0.0}, {"X": 800, "Y": 0, "Z": 0}),
            marlin.Done("M114"),
        ],
    ),
    (
        "M92",
        b"echo:  M92 X80.00 Y80.00 Z400.00 E500.00\r\nok\r\n",
        [marlin.StepsPerUnit({"X": 80.0, "Y": 80.0, "Z": 400.0, "E": 500.0}), marlin.Done("M92")],
    ),
    ("M17", b"ok P15 B3\r\n", [marlin.Done("M17")]),
    (
        "G999",
        b'echo:Unknown command: "G999"\r\nok\r\n',
        [marlin.Told('echo:Unknown command: "G999"'), marlin.Done("G999")],
    ),
]


def test_every_marlin_line_has_its_reply() -> None:
    codec = MarlinCodec()
    assert codec.restart() == b"N0 M110 N0*125\n"
    assert codec.take(b"ok\n") == [marlin.Done("M110 N0")]
    for number, (line, reply, expected) in enumerate(MARLIN_TALK, start=1):
        assert codec.line(line) == numbered(number, line)
        assert codec.take(reply) == expected
        assert codec.unanswered == ()


def test_a_line_that_came_damaged_is_sent_again_and_answered_once() -> None:
    codec = MarlinCodec()
    codec.restart()
    codec.take(b"ok\n")
    sent = codec.line("G1 X10.0000 F600.00")
    told, again = codec.take(b"Error:checksum mismatch, Last Line: 0\r\nResend: 1\r\nok\r\n")
    assert isinstance(told, marlin.Told)
    assert again == marlin.SendAgain(sent, 1)
    assert codec.take(b"ok\r\n") == [marlin.Done("G1 X10.0000 F600.00")]


def test_marlin_wants_no_line_that_was_never_sent() -> None:
    codec = MarlinCodec()
    codec.line("M17")
    assert codec.take(b"Resend: 77\r\n") == [Garbled(b"Resend: 77")]


def test_a_marlin_that_has_killed_itself_is_dead() -> None:
    (event,) = MarlinCodec().take(b"Error:Printer halted. kill() called!\r\n")
    assert isinstance(event, marlin.Failed)
    assert event.is_dead


@given(chopped(b"".join(reply for _, reply, _ in MARLIN_TALK)))
def test_any_chopping_of_marlins_talk_gives_the_same_events(pieces: list[bytes]) -> None:
    codec = MarlinCodec()
    for line, _, _ in MARLIN_TALK:
        codec.line(line)
    events = [event for piece in pieces for event in codec.take(piece)]
    assert events == [event for _, _, expected in MARLIN_TALK for event in expected]


def test_a_simple_tables_answers_are_what_its_configuration_says() -> None:
    codec = TableCodec("ERR.*", "\r")
    assert codec.line("MA 90.00", "OK") == b"MA 90.00\r"
    assert codec.take(b"OK\r\n") == [table.Reply("OK", {})]
    codec.line("POS?", r"POS (?P<angle_deg>-?\d+\.\d+)")
    assert codec.take(b"POS -12.50\r\n") == [table.Reply("POS -12.50", {"angle_deg": -12.5})]
    codec.line("MA x", "OK")
    assert codec.take(b"ERR number\r\n") == [table.Refused("ERR number")]
    assert codec.take(b"OK\r\n") == [table.Unasked("OK")]


@given(st.binary(max_size=100))
def test_noise_never_answers_a_table(noise: bytes) -> None:
    codec = TableCodec("ERR.*")
    codec.line("MA 90.00", "DONE")
    events = codec.take(noise + b"\n")
    if b"DONE" not in noise:
        assert not any(isinstance(event, table.Reply) for event in events)
