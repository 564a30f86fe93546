"""`DELETE /api/v1/jobs/{job_id}`."""

from fastapi import APIRouter, HTTPException

from offload.depot.job_row import UnknownJob
from offload.people.deletion import Eraser, JobLives
from offload.service.auth import Writer


def add_deletion_route(router: APIRouter, eraser: Eraser) -> None:
    """Add the route."""

    @router.delete("/jobs/{job_id}", status_code=204)
    def delete(whose: Writer, job_id: str) -> None:
        try:
            eraser.delete_job(whose, job_id)
        except UnknownJob as problem:
            raise HTTPException(404, f"there is no job {job_id}") from problem
        except JobLives as problem:
            raise HTTPException(409, str(problem)) from problem
