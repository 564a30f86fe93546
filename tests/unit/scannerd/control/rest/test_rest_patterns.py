"""Rings, sides, brackets and more photos by REST."""

import pytest
from rest_on_bench import Serve, eventually


async def test_a_scan_with_rings_of_their_own_and_more_photos_while_it_runs(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        wishes = {"ring_views": [3, 4], "ring_elevations_deg": [20, 55], "repeats": 2}
        forecast = (await client.get("/forecast", params=wishes)).json()
        assert forecast["photos"] == 14

        async def asks() -> bool:
            scan = (await client.get("/state")).json()["scan"]
            return scan is not None and scan["question"] is not None

        assert (await client.post("/scans", json={"scan_id": "mug", **wishes})).status_code == 202
        await eventually(asks)
        more = await client.post("/scans/mug/extend", json={"angles_deg": [10], "ring": 1})
        assert more.status_code == 202, more.text
        assert (await client.get("/state")).json()["scan"]["frames_planned"] == 15
        assert (await client.post("/scans/mug/resume", json={})).status_code == 202

        async def is_sealed() -> bool:
            return bool((await client.get("/scans/mug")).json()["state"] == "sealed")

        await eventually(is_sealed)
        detail = (await client.get("/scans/mug")).json()
        assert (detail["rings"], detail["sides"], detail["frames_done"]) == (2, 1, 15)
        places = [(view["ring"], view["elevation_deg"], view["repeat"]) for view in detail["viewpoints"]]
        assert places == [(0, 20, 0), (0, 20, 1)] * 3 + [(1, 55, 0), (1, 55, 1)] * 4 + [(1, 55, 0)]
        story = [line["text"] for line in (await client.get("/scans/mug/log")).json()["lines"]]
        assert "1 viewpoints added" in story, story
        late = await client.post("/scans/mug/extend", json={"views": 12})
        assert late.status_code == 409
        assert "nothing can be added" in late.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"views": 720, "rings": 6}, 409, "4320 photos: a scan has at most 4000"),
        ({"rings": 3, "ring_elevations_deg": [20, 50]}, 409, "names 2 rings of 3"),
        ({"ring_elevations_deg": [120]}, 422, "less than or equal to 90"),
        ({"sides": 9}, 422, "less than or equal to 4"),
        ({"ring_views": [2]}, 422, "greater than or equal to 3"),
        ({"focus_bracket": 3}, 409, "has no focus motor"),
    ],
)
async def test_a_pattern_that_cannot_be_is_refused(serve: Serve, body: object, status: int, says: str) -> None:
    async with serve() as served, served.client() as client:
        refused = await client.post("/scans", json=body)
        assert refused.status_code == status, refused.text
        assert says in refused.text


async def test_nothing_to_extend_is_said(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        assert (await client.post("/scans/mug/extend", json={"views": 12})).status_code == 404
        assert (await client.post("/commands", json={"command": "extend", "views": 12})).status_code == 409
        both = await client.post("/scans/mug/extend", json={"views": 2})
        assert both.status_code == 422
