"""The page's files: compressed where the browser can, cached where their name says what is in them."""

import gzip
from pathlib import Path

import httpx
import pytest
from rest_on_bench import Serve, Served

from scannerd.control.rest.page import BuiltPage

SCRIPT = b"console.log('scan');" * 50


@pytest.fixture
def built(tmp_path: Path) -> BuiltPage:
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>scannerd</title>")
    (folder / "manifest.webmanifest").write_text("{}")
    script = folder / "assets" / "index-B7x_9aZq.js"
    script.write_bytes(SCRIPT)
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(SCRIPT))
    script.with_name(script.name + ".br").write_bytes(b"brotli")
    (tmp_path / "secret.txt").write_text("secret")
    return BuiltPage(folder)


def browser(served: Served, accepts: str = "identity") -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=served.url, headers={"Accept-Encoding": accepts})


async def test_the_page_and_its_parts(serve: Serve, built: BuiltPage) -> None:
    async with serve(paired=False, page=built) as served, browser(served) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert "script-src 'self' 'wasm-unsafe-eval'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        script = await client.get("/assets/index-B7x_9aZq.js")
        assert script.content == SCRIPT
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = await client.get("/assets/index-B7x_9aZq.js", headers={"If-None-Match": script.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.head("/")).status_code == 200
        for name in (
            "nothing.js",
            "../secret.txt",
            "%2e%2e/secret.txt",
            "assets",
            "assets/",
            "assets/x.js.gz",
            "a/../b",
        ):
            answer = await client.get(f"/{name}")
            assert answer.status_code == 404, name
            assert "secret" not in answer.text.replace("secret.txt", "")


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
async def test_the_smallest_form_that_the_browser_takes(
    serve: Serve, built: BuiltPage, accepts: str, coding: str | None
) -> None:
    async with serve(paired=False, page=built) as served, browser(served, accepts) as client:
        async with client.stream("GET", "/assets/index-B7x_9aZq.js") as script:
            raw = b"".join([piece async for piece in script.aiter_raw()])
        assert script.headers.get("content-encoding") == coding
        assert script.headers["vary"] == "Accept-Encoding"
        assert raw == {"br": b"brotli", "gzip": gzip.compress(SCRIPT), None: SCRIPT}[coding] or coding == "gzip"


async def test_a_page_that_was_not_built_says_how(serve: Serve, tmp_path: Path) -> None:
    async with serve(paired=False, page=BuiltPage(tmp_path / "nowhere")) as served, browser(served) as client:
        page = await client.get("/")
        assert page.status_code == 200
        assert "scripts/page" in page.text
        assert (await client.get("/api/v1/docs")).status_code == 200
        assert (await client.get("/api/v1/openapi.json")).json()["openapi"].startswith("3.")
        assert "http" not in (await client.get("/api/v1/docs")).text.replace("http://", ""), "nothing from elsewhere"
