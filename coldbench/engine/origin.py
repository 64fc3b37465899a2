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
        late = [c for c in self._connections if c.deadline_ns and c.deadline_ns <= now]
        for connection in late:
            connection.expire()

    def abandon(self) -> None:
        """The end barrier: record what is still in flight as unfinished and close everything."""
        for connection in list(self._connections):
            if connection.busy:
                connection.busy = False
                self._record(connection, None, ended=False)
            connection.close()

    # ------------------------------------------------------------------ invocations

    def sign(self) -> None:
        """Greenlet: sign the requests anew."""
        try:
            self._template.sign()
        except UsageError:
            pass  # the old signature has some time left; once it is refused the answers say so

    def invoke(self, seq: int, phase: int, intended_ns: int, done: Done | None = None) -> None:
        """Dispatch an invocation now; `done` is called when it has ended."""
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
        connection.invoke(seq, phase, self._template.render(seq), intended_ns, self._timeout_ns)
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

    def answered(self, connection: Connection) -> None:
        response = connection.response
        self.last_error = connection.error
        self._record(connection, connection.error, ended=True)
        done, connection.on_done = connection.on_done, None
        if response.keep_alive and connection.reusable and not self.target.fresh_connections:
            connection.exchanges += 1
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

    def _record(self, connection: Connection, error: Error | None, *, ended: bool) -> None:
        zero = self._outbox.zero_ns
        response = connection.response
        first = connection.exchanges == 0
        dns_ns = None
        if first:
            dns_ns, self._dns_ns = self._dns_ns, None
        status = response.status or None
        body_start = b""
        if response.body_start and (self.target.evidence_body_bytes or not self._first_response_seen):
            self._first_response_seen = True
            body_start = response.body_start[: self.target.evidence_body_bytes or _BODY_START_BYTES]
        sent, first_byte = connection.sent_ns, connection.first_byte_ns
        fact = (
            connection.seq,
            self._index,
            connection.phase,
            self._outbox.worker,
            connection.intended_ns - zero,
            connection.started_ns - zero,
            sent - zero if sent else None,
            first_byte - zero if first_byte else None,
            connection.end_ns - zero if ended else None,
            dns_ns,
            connection.connect_ns if first and connection.connect_ns else None,
            connection.tls_ns if first and connection.tls_ns else None,
            not first,
            status,
            error,
            response.body_bytes if status else None,
            response.head() if status else b"",
            response.trailers() if status else b"",
            body_start,
            not (self._expects_body and status) or self.target.as_expected(response.body_start),
        )
        self._outbox.put(fact)

    def _never_sent(self, seq: int, phase: int, intended_ns: int, error: Error) -> None:
        zero = self._outbox.zero_ns
        now = monotonic_ns() - zero
        fact = RawFact(
            seq=seq,
            target=self._index,
            phase=phase,
            worker=self._outbox.worker,
            intended_ns=intended_ns - zero,
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
