"""The names under which service and worker meet in DBOS. A stored job outlives a deploy, so these never change."""

APPLICATION = "offload"
APPLICATION_VERSION = "1"
"""Fixed: an automatic version would strand pending jobs whenever the code changes."""
QUEUE = "reconstruct"
WORKFLOW = "reconstruct_bundle"
