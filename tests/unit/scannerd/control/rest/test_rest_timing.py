"""The timing chart by REST."""

from rest_on_bench import Serve
from timed_journal import overlapped_scan, write_journal


async def test_the_chart_of_a_scan_and_why_there_is_none(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        scans = served.daemon.store.layout.scans
        write_journal(scans / "mug", overlapped_scan(4))
        write_journal(scans / "jug", [])
        write_journal(scans / "pot", [{"type": "frame", "frame": {}, "times": [1]}])
        answer = await client.get("/scans/mug/timing.svg", params={"look": "dark"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("image/svg+xml")
        assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
        assert answer.text.startswith("<svg ")
        assert "--ground:#151c25" in answer.text
        for path, status, says in (
            ("/scans/jug/timing.svg", 404, "no photo yet"),
            ("/scans/none/timing.svg", 404, "is not here"),
            ("/scans/pot/timing.svg", 503, "journal entry 1"),
            ("/scans/mug/timing.svg?look=red", 422, "look"),
        ):
            refused = await client.get(path)
            assert refused.status_code == status
            assert says in refused.text
