"""How malloc keeps this process's memory: a photo's goes back to the system as soon as the photo is gone."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Their numbers in glibc's malloc.h; see mallopt(3)."""
MAPPED_BYTES = 1024 * 1024
"""Pieces from this size on are mapped one by one: photos, their planes, their JPEGs."""
KEPT_BYTES = 8 * 1024 * 1024
"""So much may lie free at the top of a heap: judging takes a few megabytes in smaller pieces, photo after photo, and
pages that come anew each time cost a quarter of its time. With twice as much, heaps keep too much of their most."""


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
    return bool(mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES) and mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))
