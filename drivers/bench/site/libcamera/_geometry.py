"""libcamera's small value types. Mutable like the real ones, and hashed by what picamera2 compares."""

import enum


class Size:
    def __init__(self, width=0, height=0):
        self.width, self.height = width, height

    def to_tuple(self):
        return (self.width, self.height)

    def __repr__(self):
        return f"{self.width}x{self.height}"


class Rectangle:
    def __init__(self, x=0, y=0, width=0, height=0):
        self.x, self.y, self.width, self.height = x, y, width, height

    def to_tuple(self):
        return (self.x, self.y, self.width, self.height)

    def __repr__(self):
        return f"({self.x}, {self.y})/{self.width}x{self.height}"


class Transform:
    def __init__(self, other=None, *, hflip=False, vflip=False, transpose=False):
        source = other or self
        if other is None:
            self.hflip, self.vflip, self.transpose = bool(hflip), bool(vflip), bool(transpose)
        else:
            self.hflip, self.vflip, self.transpose = source.hflip, source.vflip, source.transpose

    def __hash__(self):
        return hash((self.hflip, self.vflip, self.transpose))

    def __eq__(self, other):
        return hash(self) == hash(other)

    def __str__(self):
        set_flags = [name for name in ("hflip", "vflip", "transpose") if getattr(self, name)]
        return f"<libcamera.Transform {' '.join(set_flags) or 'identity'}>"


class Orientation(enum.Enum):
    """As EXIF numbers them."""

    Rotate0 = 1
    Rotate0Mirror = 2
    Rotate180 = 3
    Rotate180Mirror = 4
    Rotate90Mirror = 5
    Rotate270 = 6
    Rotate270Mirror = 7
    Rotate90 = 8


class ColorSpace:
    class Primaries(enum.Enum):
        Raw = 0
        Smpte170m = 1
        Rec709 = 2

    class TransferFunction(enum.Enum):
        Linear = 0
        Srgb = 1
        Rec709 = 2

    class YcbcrEncoding(enum.Enum):
        Null = 0
        Rec601 = 1
        Rec709 = 2

    class Range(enum.Enum):
        Full = 0
        Limited = 1

    def __init__(self, *parts):
        """Copy another colour space, or take primaries, transfer function, encoding and range."""
        if len(parts) == 1:
            (other,) = parts
            parts = (other.primaries, other.transferFunction, other.ycbcrEncoding, other.range)
        self.primaries, self.transferFunction, self.ycbcrEncoding, self.range = parts

    def __hash__(self):
        return hash((self.primaries, self.transferFunction))

    def __eq__(self, other):
        return isinstance(other, ColorSpace) and vars(self) == vars(other)

    def __str__(self):
        names = "/".join(part.name for part in vars(self).values())
        return f"<libcamera.ColorSpace {names}>"

    @classmethod
    def Raw(cls):
        return cls(cls.Primaries.Raw, cls.TransferFunction.Linear, cls.YcbcrEncoding.Null, cls.Range.Full)

    @classmethod
    def Sycc(cls):
        return cls(cls.Primaries.Rec709, cls.TransferFunction.Srgb, cls.YcbcrEncoding.Rec601, cls.Range.Full)

    @classmethod
    def Smpte170m(cls):
        return cls(cls.Primaries.Smpte170m, cls.TransferFunction.Rec709, cls.YcbcrEncoding.Rec601, cls.Range.Limited)

    @classmethod
    def Rec709(cls):
        return cls(cls.Primaries.Rec709, cls.TransferFunction.Rec709, cls.YcbcrEncoding.Rec709, cls.Range.Limited)


class PixelFormat:
    """Named from the high byte down: BGR888 lies in memory as R, G, B."""

    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return isinstance(other, PixelFormat) and self.name == other.name

    def __str__(self):
        return self.name
