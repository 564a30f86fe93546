"""How malloc keeps this process's memory: a photo's goes back to the system as soon as the photo is gone."""

import ctypes

M_MMAP_THRESHOLD = -3
"""Its number in glibc's malloc.h; see mallopt(3)."""
PHOTO_BYTES = 8 * 1024 * 1024
"""Pieces from this size on are mapped one by one: the brightness of a photo of twelve megapixels has twelve. Pages
that come anew cost time, so what judging makes in between, a few megabytes each, stays in the heap."""


def give_photos_back() -> bool:
    """Have large pieces of memory mapped and unmapped one by one; whether the system's malloc can.

    glibc begins so, but raises the size at which it does (to 32 MB) once a large piece was freed. From then on photos
    lie in the heaps of several threads, between small pieces that stay, and a heap that has no gap of that size grows
    by another photo: 30 MB in two hundred photos.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # Another C library, with a malloc of its own.
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, PHOTO_BYTES))
