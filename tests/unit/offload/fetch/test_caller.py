"""Calls to a server that wants to lead us inside, never ends, or says nothing."""

import ipaddress

import pytest
from loopback_server import Reply, answering

from offload.fetch.addresses import AddressPolicy
from offload.fetch.caller import Caller, CallFailed, TooLarge
from offload.fetch.target import UrlRefused

LOOPBACK = AddressPolicy((ipaddress.ip_network("127.0.0.1/32"),))
CAPS = {"timeout_s": 60.0, "most_bytes": 1000}


@pytest.fixture
async def caller():
    async with Caller(LOOPBACK) as made:
        yield made


async def fetch(caller, url, **caps):
    async with caller.get(url, **(CAPS | caps)) as download:
        return download.status, b"".join([chunk async for chunk in download.chunks()])


async def test_a_file_is_fetched_under_the_name_that_was_given(caller):
    with answering({"/a?b=c": Reply(body=b"photo")}) as server:
        assert await fetch(caller, f"http://localhost:{server.port}/a?b=c") == (200, b"photo")
        assert server.calls[0].headers["host"] == f"localhost:{server.port}"
        assert (await fetch(caller, f"{server.url}/none"))[0] == 404


@pytest.mark.parametrize(
    "inside",
    ["http://127.0.0.2:{port}/", "http://[::1]:{port}/", "http://169.254.169.254/", "http://0x7f000002:{port}/"],
)
async def test_a_redirect_inside_is_not_followed(caller, inside):
    with answering(lambda _call: Reply(302, headers={"Location": inside.format(port=server.port)})) as server:
        with pytest.raises(UrlRefused, match="not a public address"):
            await fetch(caller, f"{server.url}/")
        assert len(server.calls) == 1


async def test_redirects_are_followed_three_times_and_only_over_http(caller):
    def answer(call):
        left = int(call.path[1:])
        return Reply(302, headers={"Location": f"/{left - 1}"}) if left else Reply(body=b"there")

    with answering(answer) as server:
        assert await fetch(caller, f"{server.url}/3") == (200, b"there")
        with pytest.raises(UrlRefused, match="more than 3 times"):
            await fetch(caller, f"{server.url}/4")

    elsewhere = Reply(302, headers={"Location": "file:///etc/passwd"})
    with answering({"/": elsewhere}) as server, pytest.raises(UrlRefused, match="expected http"):
        await fetch(caller, f"{server.url}/")


async def test_nothing_inside_is_reached_unless_it_is_listed():
    with answering(lambda _call: Reply(body=b"secret")) as server:
        async with Caller(AddressPolicy()) as caller:
            for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
                with pytest.raises(UrlRefused, match="not a public address"):
                    await fetch(caller, f"http://{host}:{server.port}/")
                with pytest.raises(UrlRefused, match="not a public address"):
                    await caller.post(f"http://{host}:{server.port}/", b"{}", {}, **CAPS)
        assert server.calls == []


async def test_an_answer_is_held_to_its_size(caller):
    large = Reply(body=b"x" * 1001)
    with answering({"/": large}) as server, pytest.raises(TooLarge, match="1001 bytes, at most 1000"):
        await fetch(caller, f"{server.url}/")
    with answering({"/": Reply(announced_bytes=10)}) as server, pytest.raises(CallFailed):
        await fetch(caller, f"{server.url}/")
    with answering(lambda _call: Reply(500, body=b"w" * 5000)) as server:
        answer = await caller.post(f"{server.url}/", b"{}", {}, **CAPS)
        assert (answer.status, len(answer.words)) == (500, 1000)


async def test_who_says_nothing_is_waited_for_only_so_long(caller):
    with answering(lambda _call: Reply(hang=True)) as server:
        with pytest.raises(CallFailed, match=r"not done within 0\.3 s"):
            await fetch(caller, f"{server.url}/", timeout_s=0.3)
        with pytest.raises(CallFailed, match=r"not done within 0\.3 s"):
            await caller.post(f"{server.url}/", b"{}", {}, timeout_s=0.3, most_bytes=10)


async def test_a_post_is_not_led_anywhere(caller):
    with answering(lambda _call: Reply(307, headers={"Location": f"http://127.0.0.2:{server.port}/"})) as server:
        assert (await caller.post(f"{server.url}/", b"{}", {}, **CAPS)).status == 307
        assert len(server.calls) == 1


async def test_our_proxy_and_keys_are_not_used(caller, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    with answering(lambda _call: Reply()) as server:
        async with Caller(LOOPBACK) as fresh:
            assert (await fetch(fresh, f"{server.url}/"))[0] == 200
        assert "authorization" not in server.calls[0].headers


async def test_nobody_there_is_a_failed_call(caller):
    with pytest.raises(CallFailed):
        await fetch(caller, "http://127.0.0.1:1/")
    with pytest.raises(CallFailed, match="has no address"):
        await fetch(caller, "http://nobody.invalid/")
