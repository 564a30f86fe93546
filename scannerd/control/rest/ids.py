"""What may stand in a path: patterns that leave no room for tricks."""

from typing import Annotated

from fastapi import Path

from offload.wire.base import FileName, ScanId

ScanInPath = Annotated[ScanId, Path(description="Name of a scan.", examples=["20261122-101502"])]
IndexInPath = Annotated[int, Path(ge=0, le=100_000, description="Number of a viewpoint.", examples=[0])]
FileInPath = Annotated[FileName, Path(description="Name of a file among the results.", examples=["model.glb"])]
TokenInPath = Annotated[str, Path(pattern=r"^[0-9a-f]{8}$", examples=["5f0c9a3e"])]
