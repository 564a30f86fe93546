"""Why photos that were named by URL cannot become a model."""

from offload.wire.jobs import Cause


class ImagesRefused(RuntimeError):
    """A person must change the photos. `cause` is the class of the reason, the message is for people."""

    def __init__(self, message: str, cause: Cause = Cause.BAD_IMAGE) -> None:
        super().__init__(message)
        self.cause = cause
