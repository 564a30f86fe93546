"""What may be called on somebody's behalf, however it is written."""

import ipaddress

import pytest

from offload.fetch.addresses import AddressesProblem, AddressPolicy, read_address_policy
from offload.fetch.target import UrlRefused, read_url, resolve

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_may_be_called(address):
    assert not AddressPolicy().permits(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_may_be_called(address):
    assert AddressPolicy().permits(ipaddress.ip_address(address))


def test_the_operator_may_list_networks():
    policy = read_address_policy({"OFFLOAD_ALLOW_ADDRESSES": "127.0.0.0/8, fd00::/8"})
    for allowed in ("127.0.0.1", "::ffff:127.0.0.1", "fd00::1", "93.184.216.34"):
        assert policy.permits(ipaddress.ip_address(allowed))
    for refused in ("10.0.0.1", "::1", "fe80::1"):
        assert not policy.permits(ipaddress.ip_address(refused))
    assert read_address_policy({}) == AddressPolicy()
    for wrong in ("10.0.0.1/8", "nonsense"):
        with pytest.raises(AddressesProblem, match=r"expected networks such as 10\.1"):
            read_address_policy({"OFFLOAD_ALLOW_ADDRESSES": wrong})


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0x7f.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "2852039166",
        "0xa9.254.0251.254",
        "[::ffff:a9fe:a9fe]",
    ],
)
async def test_an_address_in_disguise_is_seen_through(host):
    with pytest.raises(UrlRefused, match="not a public address"):
        await resolve(read_url(f"http://{host}:8080/x"), AddressPolicy())


async def test_a_target_is_called_by_number_under_its_name():
    target = await resolve(
        read_url("https://127.0.0.1:8443/x?y=1"), AddressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
    )
    assert str(target.numeric_url) == "https://127.0.0.1:8443/x?y=1"
    assert target.host_header == "127.0.0.1:8443"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://there/x", "expected http:// or https://"),
        ("file:///etc/passwd", "expected http:// or https://"),
        ("//there/x", "expected http:// or https://"),
        ("http:///x", "expected http:// or https://"),
        ("http://me:secret@there/", "before the @"),
        ("http://there:0/", "no port 0"),
        ("http://there:99999999/", "no port 99999999"),
        ("http://" + "a" * 3000, "at most 2048"),
        ("http://[::1/", "no URL"),
        ("http://0177.0.0.1/", "no URL"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url, words):
    with pytest.raises(UrlRefused) as refusal:
        read_url(url)
    assert words in str(refusal.value)
    assert "secret" not in str(refusal.value)
