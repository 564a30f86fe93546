"""Stands in for PiDNG where it is not installed: PiDNG has no wheel and needs a C compiler.

picamera2 imports it when it loads and uses it only to save raw frames, which the bench does not offer.
"""
