"""The manifests by the schemas of those who read them: Kubernetes' own, strictly, and the compose specification's."""

import json
from importlib.metadata import distribution

import jsonschema
import kubernetes_validate
import pytest
from manifests import KUBERNETES, compose, kubernetes, kustomization

OLDEST, NEWEST = "1.31", kubernetes_validate.latest_version()
"""From 1.31 on a StatefulSet's slots may count from 1; docs/deploy.md names it."""


def title(found):
    return f"{found['kind']}-{found['metadata']['name']}"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("found", kubernetes(), ids=title)
def test_kubernetes_would_take_it(found, version):
    kubernetes_validate.validate(found, version, strict=True)


def test_the_schema_is_one_that_refuses():
    broken = {**kubernetes()[0], "speck": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


def test_every_file_is_applied_once():
    named = kustomization()["resources"]
    assert sorted(named) == sorted(
        path.name for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml"
    )
    objects = [(found["kind"], found["metadata"]["name"]) for found in kubernetes()]
    assert len(set(objects)) == len(objects)


def test_compose_would_take_it():
    path = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    schema = json.loads(path.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(compose())] == []
    services = {**compose()["services"], "api": {**compose()["services"]["api"], "imag": "x"}}
    assert not validator.is_valid({**compose(), "services": services})
