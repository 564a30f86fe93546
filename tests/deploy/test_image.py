"""The Dockerfile: what it copies is there, who it runs as, and that it is complete."""

import json
import re
import tomllib
from fnmatch import fnmatch

from manifests import DEPLOY, REPOSITORY, dockerfile, last_instruction

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def copied():
    return [source for name, arguments in dockerfile() if name == "COPY" and "--from" not in arguments
            for source in arguments.split()[:-1]]  # fmt: skip


def test_both_stages_stand_on_one_pinned_base():
    (base,) = (arguments for name, arguments in dockerfile() if name == "ARG")
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-bookworm", base)
    assert [arguments for name, arguments in dockerfile() if name == "FROM"] == [
        "${PYTHON_IMAGE} AS build",
        "${PYTHON_IMAGE}",
    ]


def test_what_is_copied_is_there_and_reaches_the_build():
    rules = [line for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in "#"]
    for source in copied():
        assert (REPOSITORY / source).exists()
        assert f"!{source}" in rules
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied())


def test_whatever_the_wheel_is_made_of_is_copied():
    needed = {*PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], PROJECT["project"]["readme"]}
    assert needed <= set(copied())
    later = [rule for rule in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if "*" in rule]
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for path in (REPOSITORY / package).rglob("*.py"):
            assert not any(fnmatch(path.name, rule.removeprefix("**/")) for rule in later if rule != "**")


def test_nothing_of_the_build_but_the_program_stays():
    (taken,) = (arguments for name, arguments in dockerfile() if name == "COPY" and "--from" in arguments)
    assert taken == "--from=build /opt/scannerd /opt/scannerd"
    assert any(
        "install --only-binary :all: --constraint scripts/requirements.lock" in arguments
        for _, arguments in dockerfile()
    )


def test_it_is_nobody_of_importance_and_owns_its_folders():
    user = last_instruction("USER")
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user), "by number: Kubernetes cannot look a name up"
    uid, gid = user.split(":")
    (made,) = (arguments for name, arguments in dockerfile() if name == "RUN" and "useradd" in arguments)
    assert f"--uid {uid} --gid {gid}" in made
    assert f"install -d -m 0750 -o {uid} -g {gid} /var/lib/offload /var/cache/offload" in made
    assert "NUMBA_CACHE_DIR=/var/cache/offload" in last_instruction("ENV")


def test_signals_reach_the_program_and_orphans_are_reaped():
    assert json.loads(last_instruction("ENTRYPOINT")) == ["tini", "--", "offload"]
    assert "tini" in next(arguments for name, arguments in dockerfile() if "apt-get install" in arguments)
