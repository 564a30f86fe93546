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
        "--ImageReader.mask_path masks --ImageReader.{one_camera} 1, a matcher, then colmap point_triangulator\n"
        "--input_path sparse/0."
    ),
    "nerfstudio": "ns-train splatfacto --data THIS_FOLDER, or any other method; poses are in millimetres.",
    "realitycapture": (
        "Add the folder images/: the XMP beside each photo is read with it, and 0000.jpg.mask.png becomes its mask."
    ),
}


def read_me(photos: PhotoSet, program: str, raw_note: str | None = None) -> str:
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
    several = len(photos.cameras) > 1
    if several:
        lines.append(
            f"Cameras, each with a lens and a folder of its own: {', '.join(one.name for one in photos.cameras)}."
        )
    unknown = [one.name for one in photos.cameras if not one.lens_is_known]
    if unknown:
        whose = f" of {', '.join(unknown)}" if several else ""
        lines.append(f"The lens{whose} is not calibrated: the focal length is the data sheet's.")
    if raw_note is not None:
        lines.append(f"{raw_note[0].upper()}{raw_note[1:]}.")
    load = _LOAD[program].replace("{one_camera}", "single_camera_per_folder" if several else "single_camera")
    return "\n".join([*lines, "", load, ""])
