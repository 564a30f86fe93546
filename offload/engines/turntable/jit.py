"""One way to compile a kernel, so that every kernel is cached, releases the GIL and keeps its type."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(*, parallel: bool = True, fastmath: bool = True) -> Callable[[Kernel], Kernel]:
    """Compile with numba, on every core unless told otherwise; the compiled code is kept beside the source."""

    def compile_it(function: Kernel) -> Kernel:
        compiled: Kernel = numba.njit(function, parallel=parallel, fastmath=fastmath, cache=True, nogil=True)
        return compiled

    return compile_it
