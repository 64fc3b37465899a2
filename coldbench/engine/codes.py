"""The operating system's error codes, as the errors that an invocation may end with."""

import errno

from coldbench.core.invocation import Error

RESET = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


def dial_error(code: int | None) -> Error:
    """Of a connection that did not come to stand. Only one code says that nothing listens there."""
    if code in _DESCRIPTORS:
        return Error.DESCRIPTORS
    if code == errno.ETIMEDOUT:
        return Error.CONNECT_TIMEOUT
    if code in RESET:
        return Error.RESET
    return Error.REFUSED if code == errno.ECONNREFUSED else Error.UNREACHABLE
