"""Moments in the database: text in UTC with milliseconds, which sorts as the moments do, on SQLite and PostgreSQL."""

from datetime import UTC, datetime

import sqlalchemy as sa


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


class Instant(sa.TypeDecorator[datetime]):
    """A column of moments. Only those with a time zone are taken; they come back in UTC."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """Return what is stored. Raises ValueError for a moment without a time zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone; use datetime.now(UTC)")
        return value.astimezone(UTC).isoformat(timespec="milliseconds")

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment that was stored."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)
