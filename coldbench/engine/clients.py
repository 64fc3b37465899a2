"""Watches what Locust's HTTP clients do: each exchange begins and ends here, and is timed at the socket.

`HttpUser` sends through requests and urllib3, `FastHttpUser` through geventhttpclient; below both are
gevent's sockets, whose calls in the greenlet of an exchange are that exchange's. Nothing is taken from the
clients' own timing.
"""

import select
from collections.abc import Callable
from typing import Any

import gevent
import geventhttpclient.client
import geventhttpclient.connectionpool
import locust.clients
import locust.contrib.fasthttp
from gevent.monkey import get_original

from coldbench.core.request import ID_HEADER
from coldbench.engine.exchange import Exchange, Exchanges
from coldbench.engine.sockets import watch_sockets

_poll = get_original("select", "poll")


def watch_clients(exchanges: Exchanges) -> None:
    """From here on every exchange of this process's Locust clients is recorded; once a process."""
    watch_sockets(exchanges)
    _watch_requests(exchanges)
    _watch_geventhttpclient(exchanges)
    sessions: tuple[Any, ...] = (locust.clients.HttpSession, locust.contrib.fasthttp.FastHttpSession)
    for session in sessions:
        session.request = _ending(exchanges, session.request)


def _ending(exchanges: Exchanges, request: Callable[..., Any]) -> Callable[..., Any]:
    """A session's request returns when the body has been read: what is still open then has ended."""

    def requesting(*args: Any, **kwargs: Any) -> Any:
        try:
            return request(*args, **kwargs)
        except gevent.GreenletExit:
            exchanges.abandon()
            raise
        finally:
            exchanges.end()

    return requesting


def _watch_requests(exchanges: Exchanges) -> None:
    adapter: Any = locust.clients.LocustHttpAdapter
    send = adapter.send  # of one hop; a session follows redirects above it

    def sending(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = exchanges.begin(request.url)
        if exchange is None:
            return send(self, request, *args, **kwargs)
        if identity := exchanges.id_of(exchange):
            request.headers[ID_HEADER] = identity
        response = _carried_out(exchanges, lambda: send(self, request, *args, **kwargs))
        _answered(exchange, response.status_code, response.raw.headers.items())
        return response

    adapter.send = sending


def _watch_geventhttpclient(exchanges: Exchanges) -> None:
    client: Any = geventhttpclient.client.HTTPClient
    pool: Any = geventhttpclient.connectionpool.ConnectionPool
    request = client.request

    def requesting(self: Any, method: str, uri: str, body: Any = b"", headers: Any = None) -> Any:
        scheme = "https" if self.ssl else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        exchange = exchanges.begin(f"{scheme}://{host}:{self.port}{uri}")
        if exchange is None:
            return request(self, method, uri, body, headers)
        own = self.headers_type()
        own.update(headers or {})
        if identity := exchanges.id_of(exchange):
            own[ID_HEADER] = identity
        response = _carried_out(exchanges, lambda: request(self, method, uri, body, own))
        _answered(exchange, response.get_code(), response.items())
        return response

    client.request = requesting
    # A retry that nobody sees hides a cold start, and an exchange would be two.
    geventhttpclient.client._may_retry_after_send_error = lambda method: False
    pool._is_socket_alive = _is_quiet


def _is_quiet(self: object, sock: Any) -> bool:
    """Whether an idle connection is alive; the client's own way takes all descriptors from 1024 for dead."""
    if sock is None or sock.fileno() < 0:
        return False
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def _carried_out(exchanges: Exchanges, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except gevent.GreenletExit:
        exchanges.abandon()
        raise
    except BaseException:
        exchanges.end()
        raise


def _answered(exchange: Exchange, status: int, fields: Any) -> None:
    exchange.status = status
    exchange.head = "\r\n".join(f"{name}: {value}" for name, value in fields)
