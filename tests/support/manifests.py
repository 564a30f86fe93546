"""What deploy/ and systemd/ say, read once for the tests that hold it against the service."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
UNITS = REPOSITORY / "systemd"
OUR_IMAGE = "offload"
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

Manifest = dict[str, Any]


@cache
def kubernetes() -> tuple[Manifest, ...]:
    """Return every object, in the order of the kustomization."""
    return tuple(
        document
        for name in kustomization()["resources"]
        for document in yaml.safe_load_all((KUBERNETES / name).read_text())
    )


@cache
def kustomization() -> Manifest:
    return yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())


def one(kind: str, name: str) -> Manifest:
    """Return the object of this kind and name."""
    return next(found for found in kubernetes() if (found["kind"], found["metadata"]["name"]) == (kind, name))


def kind_of(kind: str) -> list[Manifest]:
    return [found for found in kubernetes() if found["kind"] == kind]


def workloads() -> list[Manifest]:
    """Return everything that makes pods."""
    return [found for found in kubernetes() if "template" in found.get("spec", {})]


@dataclass(frozen=True)
class Container:
    """A container of either world: what it runs, with which variables."""

    where: str
    image: str
    arguments: tuple[str, ...]
    environment: dict[str, Any]

    @property
    def is_ours(self) -> bool:
        return self.image.split(":")[0] == OUR_IMAGE


@cache
def compose() -> Manifest:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


def default_of(text: str) -> str:
    """Return a text of compose with every ${NAME:-default} replaced by its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def composed() -> list[Container]:
    return [
        Container(
            f"compose {name}",
            default_of(service["image"]),
            tuple(service.get("command", ())),
            dict(service.get("environment", {})),
        )
        for name, service in compose()["services"].items()
    ]


def orchestrated() -> list[Container]:
    return [
        Container(
            f"{workload['kind']} {workload['metadata']['name']}/{container['name']}",
            container["image"],
            tuple(container.get("args", ())),
            {variable["name"]: variable.get("value", variable.get("valueFrom")) for variable in container["env"]},
        )
        for workload in workloads()
        for container in pod_containers(workload)
    ]


def pod_containers(workload: Manifest) -> list[Manifest]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions with their arguments, lines joined and comments gone."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], " ".join(line.split()[1:])) for line in lines]


def last_instruction(name: str) -> str:
    """Return the arguments of an instruction as the finished image has it."""
    return next(arguments for instruction, arguments in reversed(dockerfile()) if instruction == name)


def unit_settings(name: str) -> dict[str, list[str]]:
    """Return a unit's settings; one that is given several times has several values."""
    settings: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        key, found, value = line.partition("=")
        if found and not line.startswith("#"):
            settings.setdefault(key, []).append(value)
    return settings


@cache
def variables_that_are_read() -> frozenset[str]:
    """Return every name of a variable that stands in the service's or the worker's code."""
    return frozenset(name for path in (REPOSITORY / "offload").rglob("*.py") for name in _names_in(path))


def _names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and re.fullmatch(r"(OFFLOAD|AWS)(_[A-Z]+)+", text):
            yield text
