"""Who may talk to whom, asked of the policies as a network plugin reads them."""

import ipaddress
from functools import cache

import pytest
from manifests import kind_of, workloads

NAMESPACE = {"kubernetes.io/metadata.name": "offload"}
POLICIES = kind_of("NetworkPolicy")
PODS = {made["metadata"]["name"]: made["spec"]["template"]["metadata"]["labels"] for made in workloads()}
API, WORKER, DATABASE, STORAGE = "offload-api", "offload-worker", "postgres", "storage"
EXAMPLE = "93.184.215.14"


def selects(selector, labels):
    wanted = selector.get("matchLabels", {})
    chosen = [(rule["key"], rule["operator"], rule["values"]) for rule in selector.get("matchExpressions", ())]
    assert all(operator == "In" for _, operator, _ in chosen)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(key) in values for key, _, values in chosen
    )


network = cache(ipaddress.ip_network)


def is_peer(peer, other):
    """`other` is an address, or the labels of a pod and of its namespace."""
    if "ipBlock" in peer:
        if not isinstance(other, str):
            return False
        address = ipaddress.ip_address(other)
        block = peer["ipBlock"]
        return address in network(block["cidr"]) and not any(address in network(hole) for hole in block["except"])
    if isinstance(other, str):
        return False
    pod, namespace = other
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], namespace) and selects(peer.get("podSelector", {}), pod)
    return namespace == NAMESPACE and selects(peer["podSelector"], pod)


def allows(direction, pod, other, port, protocol="TCP"):
    """Whether a pod's policies let it talk to (egress) or be talked to by (ingress) another."""
    side, who = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    concerned = [
        policy["spec"]
        for policy in POLICIES
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], PODS[pod])
    ]
    assert concerned, "a pod that no policy concerns may do anything"
    return any(
        {"protocol": protocol, "port": port} in rule["ports"] and any(is_peer(peer, other) for peer in rule[who])
        for spec in concerned
        for rule in spec.get(side, ())
    )


def can_call(caller, called, port):
    return allows("Egress", caller, (PODS[called], NAMESPACE), port) and allows(
        "Ingress", called, (PODS[caller], NAMESPACE), port
    )


def test_nobody_is_without_a_policy():
    (deny,) = (policy["spec"] for policy in POLICIES if policy["metadata"]["name"] == "default-deny")
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_inside_everybody_reaches_whom_it_needs_and_nobody_else():
    ports = {API: 8750, WORKER: 8750, DATABASE: 5432, STORAGE: 8333}
    reached = {(caller, called) for caller in PODS for called in PODS if can_call(caller, called, ports[called])}
    assert reached == {(caller, called) for caller in (API, WORKER) for called in (DATABASE, STORAGE)}


@pytest.mark.parametrize("port", [9333, 8080, 8888, 19333, 18080, 18888])
def test_of_the_storage_only_s3_is_reached(port):
    assert not can_call(WORKER, STORAGE, port)


@pytest.mark.parametrize("pod", [WORKER, DATABASE, STORAGE])
def test_only_the_api_calls_the_world(pod):
    assert not any(allows("Egress", pod, address, port) for address in (EXAMPLE, "10.1.2.3") for port in (80, 443))


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("address", [EXAMPLE, "1.1.1.1", "172.32.0.1", "2606:4700::1111"])
def test_the_api_calls_callbacks_and_images(address, port):
    assert allows("Egress", API, address, port)


PRIVATE = [
    "0.0.0.1", "10.0.0.1", "10.96.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.254",
    "192.0.0.170", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "fc00::1", "fd00:ec2::254", "fe80::1", "ff02::1", "2002:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_the_api_calls_nothing_private(address):
    assert not allows("Egress", API, address, 443)


def test_every_address_that_python_takes_for_private_is_shut():
    rules = [rule for policy in POLICIES for rule in policy["spec"].get("egress", ())]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule["to"] if "ipBlock" in peer]
    for block in blocks:
        whole = ipaddress.ip_network(block["cidr"])
        assert all(ipaddress.ip_network(hole).subnet_of(whole) for hole in block["except"]), (
            "Kubernetes would refuse it"
        )
    for first in range(256):
        for second in range(256):
            address = ipaddress.ip_address(f"{first}.{second}.7.9")
            if not address.is_global or address.is_multicast:
                assert not allows("Egress", API, str(address), 443), address


def test_callers_come_from_namespaces_that_are_labelled_for_it():
    anybody = {"app": "anything"}
    assert allows("Ingress", API, (anybody, {"offload-callers": "allowed"}), 8750)
    assert not allows("Ingress", API, (anybody, {"kubernetes.io/metadata.name": "default"}), 8750)
    assert not allows("Ingress", API, (anybody, NAMESPACE), 8750)
    assert not allows("Ingress", DATABASE, (PODS[API], {"offload-callers": "allowed"}), 5432)


def test_names_are_asked_of_the_clusters_own_servers():
    servers = ({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"})
    for pod in (API, WORKER):
        assert allows("Egress", pod, servers, 53, "UDP")
        assert allows("Egress", pod, servers, 53, "TCP")
        assert not allows("Egress", pod, "8.8.8.8", 53, "UDP")
