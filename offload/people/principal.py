"""On whose behalf a request comes, and what that lets it do."""

from dataclasses import dataclass
from enum import StrEnum

from offload.depot.tables import LOCAL_TENANT


class Scope(StrEnum):
    """What a key or a person may do."""

    JOBS_READ = "jobs:read"
    """See the tenant's jobs, uploads and results."""
    JOBS_WRITE = "jobs:write"
    """Upload, make, cancel and delete them."""
    METRICS = "metrics"
    """See the figures of the whole service, in which no tenant is named, and nothing else."""
    ADMIN = "admin"
    """Both, and the tenant's own people and keys."""
    OPERATOR = "operator"
    """All of that, and what concerns the whole service."""


_IMPLIED = {
    Scope.ADMIN: {Scope.JOBS_READ, Scope.JOBS_WRITE},
    Scope.OPERATOR: {Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.ADMIN, Scope.METRICS},
}


@dataclass(frozen=True)
class Principal:
    """Who asks. Everything that is read or written is the tenant's."""

    tenant_id: str
    actor: str
    """As the audit trail calls it: `key:ab12cd34`, `user:…`, `operator`, `loopback`."""
    scopes: frozenset[Scope]
    user_id: str | None = None
    project_id: str | None = None
    most_requests_a_minute: int | None = None
    address: str | None = None
    """Where the request came from."""

    def may(self, scope: Scope) -> bool:
        """Whether its scopes include this one, or one that implies it."""
        return scope in self.scopes or any(scope in _IMPLIED.get(held, ()) for held in self.scopes)


def local_operator(actor: str) -> Principal:
    """Return who runs this service: everything, as tenant `local`."""
    return Principal(LOCAL_TENANT, actor, frozenset({Scope.OPERATOR}))
