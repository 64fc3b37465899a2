"""Times what gevent's sockets do in the greenlet of an exchange: look up, connect, secure, send, receive."""

import socket
import ssl
from collections.abc import Callable
from time import monotonic_ns
from typing import Any

import gevent
import gevent.socket
import gevent.ssl

from coldbench.core.invocation import Error
from coldbench.engine.codes import RESET, dial_error
from coldbench.engine.exchange import Exchange, Exchanges

Call = Callable[..., Any]
# Told of the exchange, of the instant before the call, and of what the call returned.
Note = Callable[[Exchange, int, Any], None]


def watch_sockets(exchanges: Exchanges) -> None:
    """From here on; once a process. An exchange's instants are taken right around the calls."""

    def watched(call: Call, note: Note, failed: Callable[[Exchange, BaseException], Error]) -> Call:
        def watching(*args: Any, **kwargs: Any) -> Any:
            exchange = exchanges.here()
            if exchange is None:
                return call(*args, **kwargs)
            began_ns = monotonic_ns()
            try:
                result = call(*args, **kwargs)
            except (OSError, gevent.Timeout) as error:
                exchange.trouble = failed(exchange, error)
                raise
            note(exchange, began_ns, result)
            return result

        return watching

    look_up = watched(gevent.socket.getaddrinfo, _looked_up, _lookup_failed)
    gevent.socket.getaddrinfo = look_up
    socket.getaddrinfo = look_up  # gevent has put its own there, which urllib3 calls
    plain, secure = gevent.socket.socket, gevent.ssl.SSLSocket
    plain.connect = watched(plain.connect, _connected, _connect_failed)
    secure.do_handshake = watched(secure.do_handshake, _secured, _handshake_failed)
    for kind in (plain, secure):
        kind.send = watched(kind.send, _sent, _exchange_failed)
        kind.recv = watched(kind.recv, _received, _exchange_failed)
        kind.recv_into = watched(kind.recv_into, _received, _exchange_failed)


def _looked_up(exchange: Exchange, began_ns: int, result: object) -> None:
    exchange.dns_ns = monotonic_ns() - began_ns


def _connected(exchange: Exchange, began_ns: int, result: object) -> None:
    exchange.connect_ns = monotonic_ns() - began_ns
    exchange.trouble = None  # of an address that was tried before


def _secured(exchange: Exchange, began_ns: int, result: object) -> None:
    exchange.tls_ns = monotonic_ns() - began_ns


def _sent(exchange: Exchange, began_ns: int, result: object) -> None:
    if exchange.sent_ns is None:
        exchange.sent_ns = began_ns


def _received(exchange: Exchange, began_ns: int, result: bytes | int) -> None:
    now = monotonic_ns()
    exchange.last_byte_ns = now
    if not result:
        exchange.peer_closed = True
    elif exchange.first_byte_ns is None:
        exchange.first_byte_ns = now


def _lookup_failed(exchange: Exchange, error: BaseException) -> Error:
    return Error.DNS


def _connect_failed(exchange: Exchange, error: BaseException) -> Error:
    if isinstance(error, TimeoutError | gevent.Timeout):
        return Error.CONNECT_TIMEOUT
    return dial_error(getattr(error, "errno", None))


def _handshake_failed(exchange: Exchange, error: BaseException) -> Error:
    return Error.TLS_TIMEOUT if isinstance(error, TimeoutError | gevent.Timeout) else Error.TLS


def _exchange_failed(exchange: Exchange, error: BaseException) -> Error:
    if isinstance(error, TimeoutError | gevent.Timeout):
        return Error.TIMEOUT
    if exchange.reused and exchange.first_byte_ns is None:
        return Error.STALE_REUSE
    if isinstance(error, ssl.SSLError):
        return Error.TLS
    return Error.RESET if getattr(error, "errno", None) in RESET else Error.CLOSED
