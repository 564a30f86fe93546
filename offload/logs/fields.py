"""What a log line is about: `journalctl SCAN=cup` finds it, and on a terminal it stands at the line's end."""

import logging

FIELDS = ("scan", "frame", "job", "command_id")
"""As attributes of a log record; journald knows them in capitals."""


def about(
    *, scan: str | None = None, frame: int | None = None, job: str | None = None, command_id: str | None = None
) -> dict[str, object]:
    """Return the `extra` of a log call: `LOG.info("sealed", extra=about(scan=scan_id))`."""
    given = {"scan": scan, "frame": frame, "job": job, "command_id": command_id}
    return {name: value for name, value in given.items() if value is not None}


def fields_of(record: logging.LogRecord) -> dict[str, str]:
    """Return what a record says it is about, by the names in `FIELDS`."""
    return {name: str(getattr(record, name)) for name in FIELDS if hasattr(record, name)}


class LineFormatter(logging.Formatter):
    """A line for people: the message, then its fields, then a traceback where there is one."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """Return the line without its traceback."""
        told = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        return super().formatMessage(record) + told
