"""What every wire type shares: frozen values, unknown keys refused, one canonical encoding."""

import hashlib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A lower-case hexadecimal SHA-256 digest: the name of every file on the wire."""

ScanId = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,79}$")]
"""A scan's folder name; safe as a path component and in a URL."""

FileName = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,99}(/[0-9A-Za-z][0-9A-Za-z._-]{0,99})?$")]
"""A file's path inside a bundle or a result: at most one folder deep, never absolute, never with `..`."""


class Wire(BaseModel):
    """A frozen value on the wire. Unknown keys are refused: they are a version this side cannot read."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")

    def canonical_bytes(self) -> bytes:
        """Return the one encoding that is hashed: JSON, fields in declared order, UTF-8, no spaces."""
        return self.model_dump_json().encode()

    def digest(self) -> str:
        """Return the hexadecimal SHA-256 of `canonical_bytes`."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()


def is_nothing(value: object) -> bool:
    """What only some scans have stays away from the files of all others."""
    return not value
