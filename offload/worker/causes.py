"""Why a run of an engine failed, as far as its end and its last words tell."""

import signal

from offload.wire.jobs import Cause

_WORDS = {
    Cause.OUT_OF_MEMORY: ("MemoryError", "std::bad_alloc", "Cannot allocate memory", "out of memory"),
    Cause.NO_GPU: ("no CUDA-capable device", "CUDA driver version is insufficient", "libcuda.so", "no GPU"),
}


def cause_of_end(status: int | None, last_words: str) -> Cause:
    """Return the cause of an end without an answer. `status` is negative for a signal.

    SIGKILL that nobody of ours sent is the kernel's, when memory runs out.
    """
    if status == -signal.SIGKILL:
        return Cause.OUT_OF_MEMORY
    return next((cause for cause, words in _WORDS.items() if any(word in last_words for word in words)), Cause.BUG)


def cause_named(told: object, *, bad_input: bool) -> Cause:
    """Return the cause that an engine named itself, or what its kind of error comes to."""
    if told in set(Cause):
        return Cause(str(told))
    return Cause.BAD_INPUT if bad_input else Cause.BUG
