"""The names under which a worker finds its workflows again. A stored job outlives a deploy: these never change."""

APPLICATION = "offload"
APPLICATION_VERSION = "1"
"""Fixed: an automatic version would strand pending jobs whenever the code changes."""
WORKFLOW = "reconstruct_bundle"


def workflow_id(job_id: str, handed_out: int) -> str:
    """Return the name of a job's workflow; another one each time the job was handed out anew."""
    return job_id if handed_out == 0 else f"{job_id}.{handed_out}"


def workflow_ids(job_id: str, handed_out: int) -> list[str]:
    """Return the names of all workflows that a job has had."""
    return [workflow_id(job_id, number) for number in range(handed_out + 1)]
