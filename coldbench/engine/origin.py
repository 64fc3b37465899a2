"""A target as the engine sees it: its addresses, its connections, its requests."""

from collections.abc import Callable
from socket import SOCK_STREAM
from time import monotonic_ns

import gevent
from gevent.event import Event
from gevent.monkey import get_original
from msgspec.structs import astuple

from coldbench.core.errors import UsageError
from coldbench.core.invocation import Error
from coldbench.core.messages import RawFact
from coldbench.core.request import address
from coldbench.core.target import Target
from coldbench.engine.connection import Connection, SocketAddress
from coldbench.engine.outbox import Outbox
from coldbench.engine.request import RequestTemplate
from coldbench.engine.tls import TlsLayer, context

# Of the first response's body, for the report ("a 200 is not always the function").
_BODY_START_BYTES = 200

Done = Callable[[], None]

# From before Locust's import patched it: it may wait, in a thread of its own.
_getaddrinfo = get_original("socket", "getaddrinfo")


class Origin:
    """Invokes one target over connections that it opens, reuses and closes.

    Each invocation leaves exactly one fact in the outbox: when it has ended, or at the end barrier.
    """

    def __init__(self, target: Target, index: int, run_id: str, outbox: Outbox) -> None:
        self.target = target
        self._index = index
        self._outbox = outbox
        self._template = RequestTemplate(target, run_id)
        self._timeout_ns = target.timeout_ns
        self._body_bytes_wanted = target.body_bytes_wanted
        self._expects_body = target.expect_body is not None
        self._reuses = not target.fresh_connections
        self._where = address(target.endpoint)
        self._tls_context = context(target) if self._where.tls else None
        self._addresses: list[SocketAddress] = []
        self._dns_ns: int | None = None
        self._resolve_error: Error | None = None
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._opening: set[Connection] = set()
        self._all_open = Event()
        self._first_response_seen = False
        # why the target could not be reached when it was last tried without an invocation
        self.unreachable: Error | None = None
        self.last_error: Error | None = None  # of the invocation that ended last

    # ------------------------------------------------------------------ connections

    def resolve(self) -> None:
        """Look the host up, once, in a thread; an invocation reports a failure."""
        host, port = self._where.host, self._where.port
        host = self.target.resolve.get(f"{host}:{port}", host)
        began = monotonic_ns()
        self._addresses = gevent.get_hub().threadpool.apply(_look_up, (host, port))
        if self._addresses:
            self._dns_ns = monotonic_ns() - began
        else:
            self._resolve_error = Error.DNS

    def reach(self, timeout_ns: int) -> None:
        """Resolve, connect and secure, without an invocation; `unreachable` says what failed.

        The first of the host's addresses that takes a connection is used from then on.
        """
        self.resolve()
        self.unreachable = self._resolve_error
        for _ in range(len(self._addresses)):
            self.unreachable = None
            self.open_ahead(1, timeout_ns)
            if self.unreachable is None:
                break
            self._addresses.append(self._addresses.pop(0))
        self.close_idle()

    def open_ahead(self, count: int, timeout_ns: int) -> None:
        """Have `count` idle connections, as far as the target takes them; blocks the calling greenlet."""
        missing = count - len(self._idle)
        if missing <= 0 or not self._addresses:
            return
        deadline = monotonic_ns() + timeout_ns
        self._all_open.clear()
        dialled = [self._new_connection() for _ in range(missing)]
        self._opening.update(dialled)
        for connection in dialled:
            connection.dial(deadline)
        self._all_open.wait()

    def give_up_opening(self) -> None:
        """Nobody waits any more for what `open_ahead` has dialled."""
        for connection in list(self._opening):
            connection.close()

    def close_idle(self) -> None:
        """Close what carries nothing: during silence an open connection can keep a function awake."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def expire(self, now: int) -> None:
        """End what has passed its deadline."""
        started_by_ns = now - self._timeout_ns
        late = [
            c
            for c in self._connections
            if (c.busy and c.started_ns <= started_by_ns) or (not c.ready and c.open_by_ns <= now)
        ]
        for connection in late:
            connection.expire()

    def abandon(self) -> None:
        """The end barrier: record what is still in flight as unfinished and close everything."""
        for connection in list(self._connections):
            if connection.busy:
                connection.busy = False
                self._record(connection, None)
            connection.close()

    # ------------------------------------------------------------------ invocations

    def sign(self) -> None:
        """Greenlet: sign the requests anew."""
        try:
            self._template.sign()
        except UsageError:
            pass  # the old signature has some time left; once it is refused the answers say so

    def invoke(self, seq: int, phase: int, intended_ns: int | None, done: Done | None = None) -> None:
        """Dispatch an invocation now; `done` is called when it has ended.

        Without an instant of its own it is intended as it starts: users intend when they send.
        """
        self._outbox.dispatched += 1
        if self._resolve_error is not None:
            self.last_error = self._resolve_error
            self._never_sent(seq, phase, intended_ns, self._resolve_error)
            if done is not None:
                # Later, so that a loop of failing invocations cannot starve the hub.
                gevent.spawn_later(0.01, done)
            return
        idle = self._idle
        connection = idle.pop() if idle else self._new_connection()
        connection.on_done = done
        connection.invoke(seq, phase, self._template.render(seq), intended_ns)
        if not connection.dial_ns:
            connection.dial(connection.started_ns + self._timeout_ns)

    def _new_connection(self) -> Connection:
        tls = None if self._tls_context is None else TlsLayer(self._tls_context, self._where.host)
        head = self.target.method == "HEAD"
        connection = Connection(self, self._addresses[0], tls, head_request=head)
        kept = 0 if self._first_response_seen else _BODY_START_BYTES
        connection.response.keep_body_start = max(kept, self._body_bytes_wanted)
        self._connections.add(connection)
        return connection

    # ------------------------------------------------------------------ what becomes of a connection

    def opened(self, connection: Connection) -> None:
        self.unreachable = None
        self._outbox.connections_opened += 1
        if not connection.busy:
            self._idle.append(connection)
        self._settled(connection)

    def answered(self, connection: Connection, end_ns: int) -> None:
        connection.busy = False
        response = connection.response
        self.last_error = connection.error
        self._record(connection, end_ns)
        done = connection.on_done
        if self._reuses and response.keep_alive and not connection.unsent and connection.error is None:
            connection.reused = True
            response.reset()
            response.keep_body_start = self._body_bytes_wanted
            self._idle.append(connection)
        else:
            connection.close()
        if done is not None:
            done()

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if connection.error is not None and not connection.opened_ns:
            self.unreachable = connection.error
        self._settled(connection)

    def _settled(self, connection: Connection) -> None:
        if self._opening:
            self._opening.discard(connection)
            if not self._opening:
                self._all_open.set()

    # ------------------------------------------------------------------ facts

    def _record(self, connection: Connection, end_ns: int | None) -> None:
        response = connection.response
        dns_ns = connect_ns = tls_ns = None
        reused = connection.reused
        if not reused:
            dns_ns, self._dns_ns = self._dns_ns, None
            connect_ns, tls_ns = connection.connect_ns or None, connection.tls_ns or None
        status = body_bytes = None
        head = trailers = body_start = b""
        as_expected = True
        if response.status:
            status, body_bytes, head = response.status, response.body_bytes, response.head()
            if response.chunked:
                trailers = response.trailers()
            if response.body_start:
                body_start = self._shown(response.body_start)
            if self._expects_body:
                as_expected = self.target.as_expected(response.body_start)
        self._outbox.put(
            (
                connection.seq,
                self._index,
                connection.phase,
                connection.intended_ns,
                connection.started_ns,
                connection.sent_ns or None,
                connection.first_byte_ns or None,
                end_ns,
                dns_ns,
                connect_ns,
                tls_ns,
                reused,
                status,
                connection.error,
                body_bytes,
                head,
                trailers,
                body_start,
                as_expected,
                connection.last_read,
                None if connection.first_read is connection.last_read else connection.first_read,
            )
        )

    def _shown(self, body_start: bytes) -> bytes:
        """Of a body's first bytes those that are evidence, or show people the target's first response."""
        wanted = self.target.evidence_body_bytes
        if not wanted and self._first_response_seen:
            return b""
        self._first_response_seen = True
        return body_start[: wanted or _BODY_START_BYTES]

    def _never_sent(self, seq: int, phase: int, intended_ns: int | None, error: Error) -> None:
        now = monotonic_ns()
        fact = RawFact(
            seq=seq,
            target=self._index,
            phase=phase,
            intended_ns=now if intended_ns is None else intended_ns,
            started_ns=now,
            end_ns=now,
            error=error,
        )
        self._outbox.put(astuple(fact))


def _look_up(host: str, port: int) -> list[SocketAddress]:
    """The host's addresses in the system's order of preference; none when it has none.

    It does not raise: gevent reports what a pool thread raises even where it is handled.
    """
    try:
        found = _getaddrinfo(host, port, type=SOCK_STREAM)
    except OSError:
        return []
    return [(family, where) for family, _, _, _, where in found]
