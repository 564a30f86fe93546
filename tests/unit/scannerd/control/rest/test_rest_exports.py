"""Exports over REST: the same files as on the command line, in a ZIP that is made while it is sent."""

import io
import json
import zipfile

import cv2
import numpy as np
from rest_on_bench import Serve
from turntable_scan import raw_of, taken_scan
from turntable_seen import BenchTurn

TURN = BenchTurn(views=8)


async def test_every_program_gets_its_zip(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        store = taken_scan(served.daemon.store.layout.root, [TURN])
        for program, found in {
            "meshroom": "scene.sfm",
            "colmap": "sparse/0/images.txt",
            "nerfstudio": "transforms.json",
            "realitycapture": "images/0007.xmp",
        }.items():
            answer = await client.get(f"/scans/barrel/export/{program}.zip")
            assert answer.status_code == 200
            assert answer.headers["content-disposition"] == f'attachment; filename="barrel-{program}.zip"'
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                assert archive.testzip() is None
                names = archive.namelist()
                assert f"barrel-{program}/{found}" in names
                photo = archive.read(f"barrel-{program}/images/0003.jpg")
                assert photo == store.layout.scan("barrel").frame(3).read_bytes()
                masks = [name for name in names if "mask" in name]
                assert len(masks) == TURN.views
                mask = cv2.imdecode(np.frombuffer(archive.read(masks[0]), np.uint8), cv2.IMREAD_GRAYSCALE)
                assert mask.shape == (1200, 1600)


async def test_raw_files_come_along_for_whoever_asks(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        taken_scan(served.daemon.store.layout.root, [TURN], raws=[3])
        assert (await client.get("/scans/barrel")).json()["raw_files"] == 1
        for asked, there in {"": False, "?raw=false": False, "?raw=true": True}.items():
            answer = await client.get(f"/scans/barrel/export/meshroom.zip{asked}")
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                names = archive.namelist()
                assert ("barrel-meshroom/raw/0003.cr2" in names) == there
                if there:
                    assert archive.read("barrel-meshroom/raw/0003.cr2") == raw_of(3)


async def test_what_was_found_in_a_photo_lies_beside_it(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        store = taken_scan(served.daemon.store.layout.root, [TURN])
        mask = await client.get("/scans/barrel/frames/3.mask.png")
        assert mask.headers["content-type"] == "image/png"
        assert mask.content == (store.layout.scan("barrel").frames / "0003.mask.png").read_bytes()
        assert (await client.get("/scans/barrel/frames/3.edges.png")).status_code == 404
        assert (await client.get("/scans/barrel/frames/3.depth.png")).status_code == 422


async def test_what_is_missing_is_said(serve: Serve) -> None:
    async with serve() as served, served.client() as client:
        taken_scan(served.daemon.store.layout.root, [TURN], mat=None)
        refused = await client.get("/scans/barrel/export/nerfstudio.zip")
        assert refused.status_code == 409
        assert "was taken without a mat" in refused.json()["detail"]
        answer = await client.get("/scans/barrel/export/meshroom.zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert "poses" not in json.loads(archive.read("barrel-meshroom/scene.sfm"))
        assert (await client.get("/scans/cup/export/meshroom.zip")).status_code == 404
        assert (await client.get("/scans/barrel/export/blender.zip")).status_code == 422
