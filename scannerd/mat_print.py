"""The mat as a PDF. The library that draws it is loaded when somebody prints: a scanner starts without it."""

import importlib

from scannerd.mat import Paper


def mat_print(paper: Paper) -> bytes:
    """Return what `mat_pdf` draws."""
    drawn: bytes = importlib.import_module("scannerd.mat_pdf").mat_pdf(paper)
    return drawn
