"""Scans as other programs read them: Meshroom, COLMAP, nerfstudio, RealityCapture."""
