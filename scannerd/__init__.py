"""The daemon on the device: a button press in, a sealed scan out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("scannerd")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0+checkout"
