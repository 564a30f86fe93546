"""The pairing code as somebody reads it from two metres, and for a phone's camera."""

import cv2
import numpy as np

_DIGITS = {
    "1": ("  █  ", " ██  ", "  █  ", "  █  ", " ███ "),
    "2": ("████ ", "    █", " ███ ", "█    ", "█████"),
    "3": ("████ ", "    █", " ███ ", "    █", "████ "),
    "4": ("█  █ ", "█  █ ", "█████", "   █ ", "   █ "),
    "5": ("█████", "█    ", "████ ", "    █", "████ "),
    "6": (" ███ ", "█    ", "████ ", "█   █", " ███ "),
}


def big(code: str) -> str:
    """Return the code in five lines of blocks."""
    return "\n".join("  ".join(_DIGITS[digit][line] for digit in code) for line in range(5))


def qr(text: str) -> str:
    """Return a QR code of half blocks, for terminals that write light on dark."""
    light = cv2.QRCodeEncoder.create().encode(text) > 0
    light = np.pad(light, ((0, light.shape[0] % 2), (0, 0)))
    return "\n".join(
        "".join(" ▀▄█"[int(above) + 2 * int(below)] for above, below in zip(top, bottom, strict=True))
        for top, bottom in zip(light[::2], light[1::2], strict=True)
    )
