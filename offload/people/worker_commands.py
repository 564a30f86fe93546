"""`offload takeover`."""

from typing import Annotated

import typer

from offload.depot.claims import hand_out_all_of
from offload.depot.instant import now
from offload.depot.roster import SILENT_S, Roster
from offload.people.audit import note
from offload.people.counter import Data, opened, who
from offload.people.tenants import PeopleProblem

takeover_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class WorkerProblem(PeopleProblem):
    """There is no such worker, or it lives; the message says what to do."""


@takeover_app.command()
def takeover(
    name: Annotated[str, typer.Argument(metavar="WORKER", help="Its name, as GET /workers tells it.")],
    data: Data,
    force: Annotated[bool, typer.Option("--force", help="Also from a worker that lives; it leaves them.")] = False,
) -> None:
    """Let the jobs of a worker wait again that will not come back."""
    with opened(data) as engine:
        known = {worker.name: worker for worker in Roster(engine).everybody()}
        if (worker := known.get(name)) is None:
            raise WorkerProblem(f"there is no worker {name}; known are: {', '.join(known) or 'none'}")
        if worker.lives and not force:
            ago_s = (now() - worker.seen_at).total_seconds()
            raise WorkerProblem(
                f"{name} on {worker.host} lives, seen {ago_s:.0f} s ago; stop it and try again "
                f"{SILENT_S:.0f} s later, or say --force"
            )
        with engine.begin() as connection:
            jobs = hand_out_all_of(connection, name)
            note(connection, who(), "worker.takeover", name, force=force)
            for job_id, tenant_id in jobs:
                note(connection, who(tenant_id), "job.takeover", job_id, worker=name)
    print(f"{len(jobs)} jobs of {name} wait again" + "".join(f"\n{job_id}" for job_id, _tenant_id in jobs))
