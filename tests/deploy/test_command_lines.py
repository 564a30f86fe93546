"""Every command line of the manifests, taken apart by the very programs that will be started with it."""

import shlex
import subprocess
from json import loads

import postgresql
import pytest
import typer
from manifests import compose, composed, last_instruction, one, orchestrated, pod_containers, unit_settings
from seaweed_server import weed

from offload.__main__ import load

PROGRAM = "/opt/scannerd/bin/offload"


def unit_command(name, **values):
    (line,) = unit_settings(name)["ExecStart"]
    for variable, value in values.items():
        line = line.replace(f"${{{variable}}}", value)
    program, *arguments = shlex.split(line.replace("%i", "1"))
    assert program == PROGRAM
    return tuple(arguments)


CONTAINERS = [*composed(), *orchestrated()]
OURS = {container.where: container.arguments for container in CONTAINERS if container.is_ours} | {
    "Dockerfile": tuple(loads(last_instruction("CMD"))),
    "offload-api.service": unit_command("offload-api.service", OFFLOAD_HOST="127.0.0.1", OFFLOAD_PORT="8750"),
    "offload-worker@.service": unit_command("offload-worker@.service"),
}


def parsed(arguments):
    """Return command and values as `offload` understands them; raises click's own refusals."""
    name, *rest = (argument.replace("$(SLOT)", "1") for argument in arguments)
    command = typer.main.get_command(load(name))
    return name, command.make_context(name, list(rest)).params


@pytest.mark.parametrize("where", OURS)
def test_offload_understands_it(where):
    name, values = parsed(OURS[where])
    assert name in ("serve", "work", "prepare")
    assert str(values["data"]) == "/var/lib/offload"


def test_a_value_out_of_bounds_would_be_noticed():
    with pytest.raises(Exception, match=r"greater than or equal to 1|x>=1"):
        parsed(("work", "--data=/x", "--slot=0"))


def test_the_api_listens_for_others_in_a_container_and_for_its_own_machine_elsewhere():
    served = {where: parsed(arguments)[1] for where, arguments in OURS.items() if arguments[0] == "serve"}
    assert {values["port"] for values in served.values()} == {8750}
    assert {where for where, values in served.items() if values["host"] == "127.0.0.1"} == {"offload-api.service"}


def test_everybody_asks_the_port_that_the_api_has():
    assert last_instruction("EXPOSE") == "8750"
    assert compose()["services"]["api"]["ports"][0].endswith(":8750:8750")
    (port,) = one("Service", "offload")["spec"]["ports"]
    (container,) = one("Deployment", "offload-api")["spec"]["template"]["spec"]["containers"]
    assert (
        container["ports"]
        == [{"name": port["targetPort"], "containerPort": port["port"]}]
        == [{"name": "http", "containerPort": 8750}]
    )


def test_weed_knows_every_option_and_both_worlds_start_it_alike():
    started = {container.arguments for container in CONTAINERS if "seaweedfs" in container.image}
    (arguments,) = started
    told = subprocess.run([weed(), "help", "server"], capture_output=True, text=True, timeout=60)
    known = {line.split()[0] for line in (told.stdout + told.stderr).splitlines() if line.startswith("  -")}
    assert arguments[:2] == ("-logtostderr", "server")
    assert {argument.split("=")[0] for argument in arguments[2:]} <= known


def test_postgresql_knows_every_option_of_the_probes():
    probe = compose()["services"]["postgres"]["healthcheck"]["test"][1:]
    (container,) = pod_containers(one("StatefulSet", "postgres"))
    assert container["readinessProbe"]["exec"]["command"] == container["startupProbe"]["exec"]["command"] == probe
    known = subprocess.run(
        [postgresql.program(probe[0]), "--help"], capture_output=True, text=True, timeout=60
    ).stdout
    assert all(option.split("=")[0] in known for option in probe[1:])
