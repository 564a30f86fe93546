"""Compose's services: who reaches whom, whose data is whose, and which worker has which slot."""

import re

import pytest
from manifests import compose, default_of, last_instruction

from offload.worker.pipeline import SHUTDOWN_S

SERVICES = compose()["services"]
WORKERS = {name: service for name, service in SERVICES.items() if name.startswith("worker-")}


def test_every_worker_has_a_slot_and_a_folder_of_its_own():
    slots = [re.fullmatch(r"--slot=(\d+)", service["command"][-1])[1] for service in WORKERS.values()]
    assert [f"worker-{slot}" for slot in slots] == list(WORKERS)
    assert len(set(slots)) == len(slots) >= 2
    folders = [service["volumes"][0] for service in WORKERS.values()]
    assert folders == [f"{name}:/var/lib/offload" for name in WORKERS]


def test_workers_reach_database_and_storage_and_nobody_else():
    networks = compose()["networks"]
    assert networks["inside"] == {"internal": True}
    outside = [name for name, service in SERVICES.items() if service["networks"] != ["inside"]]
    assert outside == ["api"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert default_of(SERVICES["api"]["ports"][0]) == "127.0.0.1:8750:8750"


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_rights_that_it_does_not_need(name):
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert "privileged" not in service
    user = str(service.get("user", last_instruction("USER")))
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_killed_while_it_ends(name):
    assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) > SHUTDOWN_S + 5.0


def test_everything_that_lasts_is_started_again():
    assert {name for name, service in SERVICES.items() if service["restart"] != "unless-stopped"} == {"prepare"}


def test_volumes_are_declared_and_used():
    used = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())}
    assert used == set(compose()["volumes"])


def test_work_begins_once_database_and_storage_are_ready():
    for name in ("api", *WORKERS):
        assert SERVICES[name]["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
    for name, dependency in SERVICES["prepare"]["depends_on"].items():
        assert dependency == {"condition": "service_healthy"}
        assert "test" in SERVICES[name]["healthcheck"]


def test_only_the_api_is_asked_how_it_is():
    """The image's own question goes to the API's port; a worker listens nowhere."""
    for name in ("prepare", *WORKERS):
        assert SERVICES[name]["healthcheck"] == {"disable": True}
    assert "healthcheck" not in SERVICES["api"]


def test_folders_in_memory_belong_to_who_writes_there():
    owner = dict(zip(("uid", "gid"), last_instruction("USER").split(":"), strict=True))
    for name, service in SERVICES.items():
        expected = dict(zip(("uid", "gid"), service["user"].split(":"), strict=True)) if "user" in service else owner
        for _, _, options in (entry.partition(":") for entry in service["tmpfs"]):
            given = dict(option.split("=") for option in options.split(",")) if options else expected
            assert {key: given[key] for key in expected} == expected, name
