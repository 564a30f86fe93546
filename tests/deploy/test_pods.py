"""What the pods may do, where their data lies, and who each worker is."""

import pytest
from manifests import (
    OUR_IMAGE,
    VERSION,
    compose,
    composed,
    kind_of,
    kustomization,
    last_instruction,
    one,
    orchestrated,
    pod_containers,
    workloads,
)

from offload.worker.pipeline import SHUTDOWN_S

ENDING_S = SHUTDOWN_S + 5.0
"""A worker's own ending, and its start's last words."""

workload = pytest.mark.parametrize("made", workloads(), ids=lambda made: made["metadata"]["name"])


@workload
def test_a_pod_has_no_more_rights_than_the_restricted_standard_lets_it(made):
    pod = made["spec"]["template"]["spec"]
    security = pod["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] >= 999
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert not pod["enableServiceLinks"], "a Service named offload would set OFFLOAD_PORT"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all("hostPath" not in volume for volume in pod["volumes"])
    for container in pod_containers(made):
        limits = container["securityContext"]
        assert limits["capabilities"] == {"drop": ["ALL"]}
        assert limits["readOnlyRootFilesystem"]
        assert not limits["allowPrivilegeEscalation"]


def test_the_namespace_enforces_it():
    assert one("Namespace", "offload")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert kustomization()["namespace"] == "offload"


@workload
def test_every_container_says_what_it_needs(made):
    for container in pod_containers(made):
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@workload
def test_volumes_and_mounts_meet(made):
    pod, claimed = made["spec"]["template"]["spec"], made["spec"].get("volumeClaimTemplates", ())
    volumes = {volume["name"] for volume in (*pod["volumes"], *(claim["metadata"] for claim in claimed))}
    mounted = {mount["name"] for container in pod_containers(made) for mount in container["volumeMounts"]}
    assert volumes == mounted
    for volume in pod["volumes"]:
        if "persistentVolumeClaim" in volume:
            one("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])


@pytest.mark.parametrize(("name", "path"), [("postgres", "/var/lib/postgresql/data"), ("storage", "/data")])
def test_what_must_last_lies_on_a_volume_that_stays(name, path):
    made = one("StatefulSet", name)
    (container,) = pod_containers(made)
    (mount,) = (mount for mount in container["volumeMounts"] if mount["mountPath"] == path)
    assert mount["name"] in [claim["metadata"]["name"] for claim in made["spec"]["volumeClaimTemplates"]]
    assert made["spec"]["persistentVolumeClaimRetentionPolicy"] == {"whenScaled": "Retain", "whenDeleted": "Retain"}
    service = compose()["services"][name]
    assert service["volumes"] == [f"{name}:{path}"]
    settings = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert settings.get("PGDATA", path).startswith(path)
    assert service["environment"].get("PGDATA") == settings.get("PGDATA")


def test_selectors_find_their_pods():
    labels = {made["metadata"]["name"]: made["spec"]["template"]["metadata"]["labels"] for made in workloads()}
    for made in workloads():
        assert made["spec"]["selector"]["matchLabels"] == labels[made["metadata"]["name"]]
        if "serviceName" in made["spec"]:
            one("Service", made["spec"]["serviceName"])
    for service in kind_of("Service"):
        (chosen,) = (made for made in workloads() if labels[made["metadata"]["name"]] == service["spec"]["selector"])
        known = {port["name"] for container in pod_containers(chosen) for port in container.get("ports", ())}
        assert {port["targetPort"] for port in service["spec"].get("ports", ())} <= known
    (budget,) = kind_of("PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"] == labels["offload-worker"]
    (scaler,) = kind_of("HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    assert one(target["kind"], target["name"])["apiVersion"] == target["apiVersion"]


def test_a_pods_slot_is_its_number_and_stays_its_own():
    spec = one("StatefulSet", "offload-worker")["spec"]
    assert spec["ordinals"] == {"start": 1}, "slots count from 1"
    assert "replicas" not in spec, "the autoscaler sets them"
    (container,) = spec["template"]["spec"]["containers"]
    assert "--slot=$(SLOT)" in container["args"]
    (slot,) = (variable for variable in container["env"] if variable["name"] == "SLOT")
    assert slot["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}}


def test_half_uploaded_files_find_the_one_api_again():
    spec = one("Deployment", "offload-api")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@workload
def test_nobody_is_killed_while_it_ends(made):
    assert made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > ENDING_S


def test_both_worlds_run_the_same_images():
    ours, others = set(), set()
    for container in (*composed(), *orchestrated()):
        (ours if container.is_ours else others).add(container.image)
    (tag,) = kustomization()["images"]
    assert (tag["name"], tag["newTag"]) == (OUR_IMAGE, VERSION)
    assert ours == {OUR_IMAGE, f"{OUR_IMAGE}:{VERSION}"}
    assert len(others) == 2
    assert all(image.rsplit(":", 1)[1][0].isdigit() for image in others), "a tag that never moves"


def test_our_pods_are_the_user_to_whom_the_images_folders_belong():
    user, _, group = last_instruction("USER").partition(":")
    for name in ("offload-api", "offload-worker"):
        made = next(made for made in workloads() if made["metadata"]["name"] == name)
        security = made["spec"]["template"]["spec"]["securityContext"]
        assert (security["runAsUser"], security["fsGroup"]) == (int(user), int(group))
