"""Every setting of a manifest is one that somebody reads; every secret is made by a script and stands in no file."""

import re
import stat
import subprocess
from itertools import chain

import pytest
from manifests import (
    DEPLOY,
    REPOSITORY,
    compose,
    composed,
    dockerfile,
    kubernetes,
    one,
    orchestrated,
    unit_settings,
    variables_that_are_read,
)

from offload.apikey import read_key
from offload.depot.database import read_database_url
from offload.depot.folder import DataFolder
from offload.depot.storage_setting import read_storage
from offload.worker.engine_process import SECRETS

CONTAINERS = [*composed(), *orchestrated()]
READ_BY_OTHERS = {
    "postgres": {
        "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PGDATA", "POSTGRES_INITDB_ARGS",
    },
    "chrislusf/seaweedfs": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
}  # fmt: skip
"""By the images' own documentation; for the storage tests/deploy/test_deployed_service.py tries it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file that deploy/make-env writes."""
    file = tmp_path_factory.mktemp("made") / ".env"
    subprocess.run([DEPLOY / "make-env", file], check=True, capture_output=True, timeout=60)
    return file


def secrets_in(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.where)
def test_whatever_is_set_is_read(container):
    if container.is_ours:
        read = variables_that_are_read() | set(re.findall(r"\$\((\w+)\)", " ".join(container.arguments)))
    else:
        read = READ_BY_OTHERS[container.image.rsplit(":", 1)[0]]
    assert set(container.environment) <= read, "nobody reads these"


def test_service_and_workers_are_told_the_same():
    for world in (composed(), orchestrated()):
        ours = [{**container.environment} for container in world if container.is_ours]
        assert len(ours) >= 3
        for environment in ours:
            environment.pop("OFFLOAD_API_KEY", None)
            environment.pop("SLOT", None)
        assert all(environment == ours[0] for environment in ours)


def test_only_the_api_knows_its_key():
    holders = [container.where for container in CONTAINERS if "OFFLOAD_API_KEY" in container.environment]
    assert holders == ["compose api", "Deployment offload-api/api"]


def test_every_secret_is_made_by_the_script_and_every_made_one_is_used(made):
    in_pods = {
        source["secretKeyRef"]["key"]
        for container in orchestrated()
        for source in container.environment.values()
        if isinstance(source, dict) and source.get("secretKeyRef", {}).get("name") == "offload"
    }
    in_compose = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yml").read_text()))
    assert set(secrets_in(made)) == in_pods == in_compose


def test_every_reference_leads_somewhere():
    sources = [source for container in orchestrated() for source in container.environment.values()]
    for source in (source for source in sources if isinstance(source, dict)):
        if "configMapKeyRef" in source:
            assert source["configMapKeyRef"]["key"] in one("ConfigMap", source["configMapKeyRef"]["name"])["data"]
        elif "secretKeyRef" in source:
            assert source["secretKeyRef"]["name"] == "offload"
        else:
            assert source["fieldRef"]["fieldPath"] == "metadata.labels['apps.kubernetes.io/pod-index']"


def test_the_service_can_read_what_was_made(made, tmp_path):
    settings = secrets_in(made)
    for stored in (
        compose()["x-settings"]["OFFLOAD_STORAGE_URL"],
        one("ConfigMap", "offload")["data"]["OFFLOAD_STORAGE_URL"],
    ):
        storage = read_storage({**settings, "OFFLOAD_STORAGE_URL": stored}, DataFolder(tmp_path))
        assert storage.title == "the S3 bucket scans at http://storage:8333"
        assert storage.link("blobs/x", 60) is None, "a link would name a host that no device reaches"
    url = read_database_url(settings)
    assert url == f"postgresql+psycopg://offload:{settings['POSTGRES_PASSWORD']}@postgres:5432/offload"
    assert read_key(settings) == settings["OFFLOAD_API_KEY"]


def test_made_secrets_are_random_private_and_stay(made, tmp_path):
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    before = made.read_text()
    subprocess.run([DEPLOY / "make-env", made], check=True, capture_output=True, timeout=60)
    assert made.read_text() == before
    subprocess.run([DEPLOY / "make-env", tmp_path / ".env"], check=True, capture_output=True, timeout=60)
    first, second = secrets_in(made), secrets_in(tmp_path / ".env")
    assert {name for name in first if first[name] == second[name]} == {"AWS_ACCESS_KEY_ID"}
    assert all(len(value) >= 48 for name, value in first.items() if name != "AWS_ACCESS_KEY_ID")


def test_git_and_docker_leave_the_secrets_alone():
    ignored = subprocess.run(["git", "check-ignore", "deploy/.env"], cwd=REPOSITORY, capture_output=True, timeout=60)
    assert ignored.returncode == 0
    rules = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert next(rule for rule in rules if not rule.startswith("#")) == "**"
    assert not [rule for rule in rules if rule.startswith("!") and "deploy" in rule]


def test_no_secret_stands_in_a_file():
    assert not [found for found in kubernetes() if found["kind"] == "Secret"]
    secret = re.compile("PASSWORD|SECRET|API_KEY|DATABASE_URL|ACCESS_KEY")
    for container in CONTAINERS:
        for name, value in container.environment.items():
            if secret.search(name):
                assert isinstance(value, dict) or value.startswith("${"), f"{container.where}: {name}"
    for instruction, arguments in dockerfile():
        assert instruction not in ("ENV", "ARG") or not secret.search(arguments)


def test_units_set_nothing_that_nobody_reads():
    for name in ("offload-api.service", "offload-worker@.service"):
        unit = unit_settings(name)
        names = re.findall(r"\b([A-Z_]+)=", " ".join(chain(unit.get("Environment", ()))))
        used = set(re.findall(r"\$\{(\w+)\}", " ".join(unit["ExecStart"])))
        assert set(names) <= variables_that_are_read() | used | {"NUMBA_CACHE_DIR"}
        assert unit["EnvironmentFile"] == ["-/etc/offload/offload.env"]


def test_an_engine_is_told_nothing_that_opens_a_door():
    worker = next(container for container in orchestrated() if container.where == "StatefulSet offload-worker/worker")
    assert set(worker.environment) - set(SECRETS) == {"SLOT", "OFFLOAD_STORAGE_URL"}
