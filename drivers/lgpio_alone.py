"""lgpio once more in this process: a copy whose thread plays nothing but the waves of one line.

lgpio 0.2.2 has one thread for all waves and all PWM of a process. When a wave ends while something else goes on, say
a dimmed light, that thread skips the others for 20 ms; their edges then come all at once, and one time in fifty it
reckons a negative time, sleeps no more and plays nothing ever again (seen on a real kernel: tests/vm). A thread with
a single line has nobody to skip.
"""

import importlib.util
import os
import shutil
import sys
from importlib.machinery import ExtensionFileLoader
from itertools import count
from pathlib import Path
from types import ModuleType

import lgpio

_copies = count(1)


def lgpio_alone() -> ModuleType:
    """Return a copy that shares nothing with the module of that name, or with another copy.

    The module itself where it has no C library to copy, as on the bench. Debian's python3-lgpio keeps that thread in
    a library of its own, which copies still share; the wheel, which scripts/install takes, does not. Raises OSError,
    ImportError.
    """
    compiled: ModuleType | None = getattr(lgpio, "_lgpio", None)
    if compiled is None or compiled.__file__ is None:
        return lgpio  # type: ignore[no-any-return]
    shared = sys.modules["_lgpio"]
    sys.modules["_lgpio"] = _copied(Path(compiled.__file__))
    try:
        return _loaded("lgpio_alone", importlib.util.spec_from_file_location("lgpio_alone", lgpio.__file__))
    finally:
        sys.modules["_lgpio"] = shared


def _copied(library: Path) -> ModuleType:
    """Load a C library again: the loader knows one by its file, so a file in memory is another one."""
    number = next(_copies)
    copy = os.memfd_create(f"lgpio-{number}")
    try:
        with library.open("rb") as source, os.fdopen(os.dup(copy), "wb") as target:
            shutil.copyfileobj(source, target)
        # Python remembers a library by its path, so every copy needs another one: more slashes are the same place.
        path = f"/proc/self/fd{'/' * number}{copy}"
        loader = ExtensionFileLoader("_lgpio", path)
        return _loaded("_lgpio", importlib.util.spec_from_file_location("_lgpio", path, loader=loader))
    finally:
        os.close(copy)


def _loaded(name: str, spec: importlib.machinery.ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}: nothing to load it with")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
