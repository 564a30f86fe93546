import subprocess
import sys

PHOTO_MB = 12
PROGRAM = f"""
import os
from pathlib import Path
from scannerd.process.heap import give_photos_back

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

able = give_photos_back()
large = bytearray({PHOTO_MB * 2_000_000})
del large  # From here on glibc would keep photos in its heap.
photos = [bytearray({PHOTO_MB * 1_000_000}) for _ in range(3)]
full_mb = resident_mb()
del photos[0]  # Those that stay lie above it.
print(able, full_mb - resident_mb())
"""


def test_the_memory_of_a_photo_goes_back_as_soon_as_the_photo_is_gone() -> None:
    """In a process of its own: malloc's behaviour is a process's."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    able, given_back_mb = done.stdout.split()
    assert able == "True"
    assert float(given_back_mb) > 0.9 * PHOTO_MB
