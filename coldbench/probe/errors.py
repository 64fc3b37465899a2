"""Foreign exceptions to `core.invocation.Error`: the one place where the probe does it."""

import errno
import ssl
from collections.abc import Iterator

import httpx

from coldbench.core.invocation import Error
from coldbench.probe.network import HeadTooLargeError

_BY_ERRNO = {
    errno.ECONNREFUSED: Error.REFUSED,
    errno.ECONNRESET: Error.RESET,
    errno.EPIPE: Error.RESET,
    errno.ENETUNREACH: Error.UNREACHABLE,
    errno.EHOSTUNREACH: Error.UNREACHABLE,
    errno.EMFILE: Error.DESCRIPTORS,
    errno.ENFILE: Error.DESCRIPTORS,
}
# h11 has one exception for both; only its words tell a peer that left from one that speaks no HTTP.
_LEFT = ("disconnected", "closed connection")


def why(failure: BaseException, *, connected: bool, secured: bool, answering: bool, reused: bool) -> Error:
    """What a failed exchange is called, once the host was looked up.

    `connected`: the TCP handshake had ended; `secured`: nothing of TLS was left to do; `answering`: the
    response's head had come; `reused`: the connection was an earlier invocation's.
    """
    causes = tuple(_causes(failure))
    if isinstance(failure, TimeoutError | httpx.TimeoutException):
        if not connected:
            return Error.CONNECT_TIMEOUT
        return Error.TIMEOUT if secured else Error.TLS_TIMEOUT
    if any(isinstance(cause, HeadTooLargeError) for cause in causes):
        return Error.TOO_LARGE
    known = next(
        (_BY_ERRNO[c.errno] for c in causes if isinstance(c, OSError) and c.errno in _BY_ERRNO), None
    )
    if not secured:
        if known is not None:
            return known
        return Error.TLS if connected or _is_tls(causes) else Error.UNREACHABLE
    left = isinstance(failure, httpx.RemoteProtocolError) and any(word in str(failure) for word in _LEFT)
    network = isinstance(failure, httpx.NetworkError)
    if reused and not answering and (left or network):
        return Error.STALE_REUSE
    if left:
        return Error.CLOSED
    if isinstance(failure, httpx.RemoteProtocolError):
        return Error.PROTOCOL
    if isinstance(failure, httpx.WriteError):
        return known or Error.SEND
    if network:
        return known or Error.CLOSED
    return Error.INTERNAL


def _is_tls(causes: tuple[BaseException, ...]) -> bool:
    return any(isinstance(cause, ssl.SSLError) for cause in causes)


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
