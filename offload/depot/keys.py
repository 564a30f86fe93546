"""The names of stored files. A folder and an S3 bucket hold the same names, so that one can be copied into the other.

blobs/ab/abcd…                    an uploaded file under its SHA-256
jobs/<job>/results/<set>/NAME     a result; <set> is made from the hashes of all results of that set
jobs/<job>/results/NAME           a result of a job from before sets were told apart

In a namespace all of this lies below `spaces/<namespace>/`: every tenant but `local` has one of its own, so that none
can meet another's files, not even by their hash.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from offload.depot.tables import LOCAL_TENANT
from offload.wire.bundle import StoredFile

_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*(/[0-9A-Za-z][0-9A-Za-z._-]*)*")
_NAMESPACE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


def checked_key(key: str) -> str:
    """Return the key if it can be a path below any folder; raises ValueError, since no input may get this far."""
    if _KEY.fullmatch(key) is None:
        raise ValueError(
            f"{key!r} is no storage key: expected names of letters, digits, '.', '_' and '-' between '/'"
        )
    return key


@dataclass(frozen=True)
class Keys:
    """The names of one namespace; two namespaces share no file. The empty one is that of a service without any."""

    namespace: str = ""

    def __post_init__(self) -> None:
        if self.namespace and _NAMESPACE.fullmatch(self.namespace) is None:
            raise ValueError(f"{self.namespace!r} is no namespace: expected at most 64 letters, digits, '_' and '-'")

    @classmethod
    def of_tenant(cls, tenant_id: str) -> Self:
        """Return the names of what is a tenant's."""
        return cls("" if tenant_id == LOCAL_TENANT else tenant_id)

    @property
    def root(self) -> str:
        """What all names of the namespace begin with."""
        return f"spaces/{self.namespace}/" if self.namespace else ""

    def blob(self, sha256: str) -> str:
        """Return the name of an uploaded file."""
        return f"{self.root}blobs/{sha256[:2]}/{sha256}"

    def results(self, job_id: str) -> str:
        """Return what the names of all results of a job begin with, of every attempt."""
        return f"{self.root}jobs/{job_id}/results/"

    def result(self, job_id: str, files: Iterable[StoredFile], name: str) -> str:
        """Return the name of one result out of a set of results."""
        return f"{self.results(job_id)}{set_of(files)}/{name}"


def set_of(files: Iterable[StoredFile]) -> str:
    """Return the name of a set of results: who knows the hashes knows where the files lie, and no two sets meet."""
    named = sorted((file.name, file.sha256) for file in files)
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
