"""RealityCapture's (RealityScan's) XMP beside each photo: calibration, and the pose where it is known.

As its "XMP camera math" has it: coordinates in the photo run from -0.5 to 0.5 along its longer side, the focal length
is that of a 36 mm film, the rotation is camera from world row by row, the position is the camera's centre, and the
distortion brown3t2 is k1, k2, k3, 0, t1, t2, where t1 and t2 are OpenCV's p2 and p1.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from offload.geometry.lens import Lens
from offload.geometry.pose import Pose
from scannerd.export.exported_file import ExportedFile, text_file
from scannerd.export.photo_set import PhotoSet, SetPhoto

FILM_MM = 36.0
_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description xmlns:xcr="http://www.capturingreality.com/ns/xcr/1.1#" xcr:Version="3"{pose_attributes}
    xcr:DistortionModel="brown3t2" xcr:FocalLength35mm="{focal:.12g}" xcr:Skew="0" xcr:AspectRatio="{aspect:.12g}"
    xcr:PrincipalPointU="{u:.12g}" xcr:PrincipalPointV="{v:.12g}" xcr:CalibrationPrior="{prior}"
    xcr:CalibrationGroup="{group}" xcr:DistortionGroup="{group}" xcr:InTexturing="1" xcr:InMeshing="1">{pose}
   <xcr:DistortionCoeficients>{distortion}</xcr:DistortionCoeficients>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


def files(photos: PhotoSet) -> Iterator[ExportedFile]:
    """Yield one XMP a photo."""
    for photo in photos.photos:
        own = photos.camera_of(photo)
        yield text_file(
            f"images/{photo.name.removesuffix('.jpg')}.xmp", _xmp(photo, own.lens, known=own.lens_is_known)
        )


def _xmp(photo: SetPhoto, lens: Lens, *, known: bool) -> str:
    longer = max(lens.width_px, lens.height_px)
    k1, k2, p1, p2, k3 = lens.distortion
    pose_attributes, pose = "", ""
    if photo.pose is not None:
        centre = Pose(np.array(photo.pose.R), np.array(photo.pose.t_mm)).centre_mm
        pose_attributes = '\n    xcr:PosePrior="locked" xcr:Coordinates="absolute"'
        pose = (
            f"\n   <xcr:Rotation>{_numbers(np.array(photo.pose.R).ravel())}</xcr:Rotation>"
            f"\n   <xcr:Position>{_numbers(centre)}</xcr:Position>"
        )
    return _XMP.format(
        pose_attributes=pose_attributes,
        focal=lens.focal_px / longer * FILM_MM,
        aspect=lens.aspect,
        u=(lens.centre_px[0] + 0.5 - lens.width_px / 2) / longer,
        v=(lens.centre_px[1] + 0.5 - lens.height_px / 2) / longer,
        prior="exact" if known else "initial",
        group=photo.camera + 1,
        pose=pose,
        distortion=_numbers((k1, k2, k3, 0, p2, p1)),
    )


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{float(value):.12g}" for value in values)
