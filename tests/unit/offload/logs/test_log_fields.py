import io
import logging

from offload.logs.fields import LineFormatter, about


def line_of(**fields: object) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(LineFormatter("%(levelname)s %(message)s"))
    log = logging.getLogger("test-fields")
    log.propagate = False
    log.addHandler(handler)
    try:
        log.warning("attempt %d: %s", 2, "blurred", extra=fields)
        try:
            raise ValueError("torn")
        except ValueError:
            log.exception("broken", extra=fields)
    finally:
        log.removeHandler(handler)
    return out.getvalue()


def test_a_line_for_people_ends_with_what_it_is_about() -> None:
    first, second, *trace = line_of(**about(scan="cup", frame=0)).splitlines()
    assert first == "WARNING attempt 2: blurred scan=cup frame=0"
    assert second == "ERROR broken scan=cup frame=0"
    assert trace[-1] == "ValueError: torn"


def test_a_line_about_nothing_stays_as_it_is() -> None:
    assert line_of().splitlines()[0] == "WARNING attempt 2: blurred"


def test_only_what_is_known_is_said() -> None:
    assert about(job="a1", scan=None) == {"job": "a1"}
