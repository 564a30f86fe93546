"""What a control is: its identity and the values that it takes."""

import enum


class ControlType(enum.Enum):
    Null = 0
    Bool = 1
    Byte = 2
    Integer32 = 5
    Integer64 = 6
    Float = 7
    String = 8
    Rectangle = 9
    Size = 10


class ControlId:
    def __init__(self, number, name, kind):
        self.id, self.name, self.type = number, name, kind

    def __hash__(self):
        return self.id

    def __eq__(self, other):
        return isinstance(other, ControlId) and self.id == other.id

    def __repr__(self):
        return f"libcamera.ControlId({self.id}, libcamera.{self.name}, {self.type})"


class ControlInfo:
    def __init__(self, low, high, default):
        self.min, self.max, self.default = low, high, default

    def __repr__(self):
        return f"<libcamera.ControlInfo [{self.min}..{self.max}]>"
