"""A page for whoever opens an export: what is in it, in which frame, and how to load it."""

from scannerd.export.photo_set import PhotoSet

_LOAD = {
    "meshroom": (
        "meshroom_batch -i scene.sfm -p photogrammetry -o OUT --save OUT/scene.mg\n"
        "with FeatureExtraction.masksFolder and PrepareDenseScene.masksFolders set to masks/. Meshroom wants\n"
        "absolute paths: where scene.sfm says images/, write this folder's path before it. To keep the poses:\n"
        "FeatureMatching.matchFromKnownCameraPoses, StructureFromMotion.lockScenePreviouslyReconstructed and\n"
        "lockAllIntrinsics. Meshroom's OBJ has y and z negated."
    ),
    "colmap": (
        "The model is sparse/0. To triangulate points under the poses: colmap feature_extractor --image_path images\n"
        "--ImageReader.mask_path masks --ImageReader.single_camera 1, a matcher, then colmap point_triangulator\n"
        "--input_path sparse/0."
    ),
    "nerfstudio": "ns-train splatfacto --data THIS_FOLDER, or any other method; poses are in millimetres.",
    "realitycapture": (
        "Add the folder images/: the XMP beside each photo is read with it, and 0000.jpg.mask.png becomes its mask."
    ),
}


def read_me(photos: PhotoSet, program: str) -> str:
    """Return plain text in English: the programs' own words are."""
    posed, masked, count = len(photos.posed), len(photos.masked), len(photos.photos)
    lines = [
        f"Scan {photos.scan_id}, exported by scannerd for {program}.",
        "",
        f"{count} photos, {masked} with a mask, {posed} with a pose.",
    ]
    if posed:
        lines += [
            "Frame: the mat's. Origin in its centre, x right, y away from its lower edge, z up; millimetres.",
            f"Scale: {photos.scale_source}.",
        ]
    if photos.no_poses_because is not None:
        lines.append(f"Without poses: {photos.no_poses_because}.")
    elif posed < count:
        lines.append("Photos without a pose show the object turned over, or show nothing of the mat.")
    if not photos.lens_is_known:
        lines.append("The lens is not calibrated: the focal length is the data sheet's.")
    return "\n".join([*lines, "", _LOAD[program], ""])
