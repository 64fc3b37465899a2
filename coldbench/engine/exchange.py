"""The requests of a user's own Locust file, as facts: one exchange at a time in each greenlet."""

from functools import lru_cache
from itertools import count
from time import monotonic_ns
from urllib.parse import urlsplit

import gevent
from msgspec.structs import astuple

from coldbench.core.invocation import Error
from coldbench.core.messages import RawFact
from coldbench.core.request import address
from coldbench.core.target import Target
from coldbench.engine.outbox import Outbox

_URLS_KEPT = 4096
_DELIMITED = ("content-length:", "transfer-encoding:")


class Exchange:
    """One request and what came back; instants are monotonic ns, None while they have not come."""

    __slots__ = (
        "connect_ns",
        "dns_ns",
        "first_byte_ns",
        "head",
        "last_byte_ns",
        "peer_closed",
        "sent_ns",
        "seq",
        "started_ns",
        "status",
        "target",
        "tls_ns",
        "trouble",
    )

    def __init__(self, seq: int, target: int) -> None:
        self.seq = seq
        self.target = target
        self.started_ns = monotonic_ns()
        self.dns_ns: int | None = None
        self.connect_ns: int | None = None
        self.tls_ns: int | None = None
        self.sent_ns: int | None = None
        self.first_byte_ns: int | None = None
        self.last_byte_ns: int | None = None
        self.status: int | None = None
        self.head = ""  # its fields, a line each
        self.peer_closed = False
        self.trouble: Error | None = None  # what a system call said

    @property
    def reused(self) -> bool:
        """Whether it went over a connection that was there."""
        return self.connect_ns is None

    @property
    def error(self) -> Error | None:
        """Why there is no whole response."""
        if self.trouble is not None:
            return self.trouble
        if self.status is None:
            return self._without_response()
        # Where the peer's closing is not what ends the body it is a loss (RFC 9112, 8).
        delimited = any(line.lower().startswith(_DELIMITED) for line in self.head.split("\r\n"))
        return Error.CLOSED if self.peer_closed and delimited else None

    def _without_response(self) -> Error:
        if not self.peer_closed:
            return Error.PROTOCOL
        return Error.STALE_REUSE if self.reused and self.first_byte_ns is None else Error.CLOSED


class Exchanges:
    """Those under way; each leaves exactly one fact in the outbox, as the engine's own invocations do.

    An exchange belongs to the target whose URL is the longest beginning of its own; `elsewhere` counts the
    requests that belong to none and leave no fact.
    """

    def __init__(self, targets: tuple[Target, ...], run_id: str, outbox: Outbox) -> None:
        self._targets = targets
        self._run_id = run_id
        self._outbox = outbox
        self._seqs = count()
        self._open: dict[object, Exchange] = {}
        self._bases = [(address(t.endpoint), urlsplit(t.endpoint).path.rstrip("/")) for t in targets]
        self._target_of = lru_cache(_URLS_KEPT)(self._find_target)
        self.elsewhere = 0

    def begin(self, url: str) -> Exchange | None:
        """The calling greenlet sends a request to `url`; the one before it has ended. None for elsewhere."""
        self.end()
        target = self._target_of(url)
        if target is None:
            self.elsewhere += 1
            return None
        if self._outbox.behind:
            self._outbox.hold(lambda: False)  # Locust ends a user that still waits when its time is over
        exchange = Exchange(next(self._seqs), target)
        self._outbox.dispatched += 1
        self._open[gevent.getcurrent()] = exchange
        return exchange

    def here(self) -> Exchange | None:
        """The calling greenlet's own."""
        return self._open.get(gevent.getcurrent())

    def id_of(self, exchange: Exchange) -> str | None:
        """What its id header says; None where the target shall not be sent any."""
        return f"{self._run_id}-{exchange.seq}" if self._targets[exchange.target].send_id else None

    def end(self) -> None:
        """The calling greenlet's own has ended, if it has one."""
        exchange = self._open.pop(gevent.getcurrent(), None)
        if exchange is not None:
            self._record(exchange, ended=True)

    def abandon(self) -> None:
        """The calling greenlet's own will not end any more."""
        exchange = self._open.pop(gevent.getcurrent(), None)
        if exchange is not None:
            self._record(exchange, ended=False)

    def abandon_all(self) -> None:
        """The end barrier: what is still in flight is unfinished."""
        while self._open:
            self._record(self._open.popitem()[1], ended=False)

    def _find_target(self, url: str) -> int | None:
        where, path = address(url), urlsplit(url).path
        fitting = [
            (len(base), -index)
            for index, (its, base) in enumerate(self._bases)
            if its == where and (path == base or path.startswith(f"{base}/"))
        ]
        return -max(fitting)[1] if fitting else None

    def _record(self, exchange: Exchange, *, ended: bool) -> None:
        error = exchange.error if ended else None
        end_ns = exchange.last_byte_ns if error is None and exchange.last_byte_ns else monotonic_ns()
        if not exchange.reused:
            self._outbox.connections_opened += 1
        fact = RawFact(
            seq=exchange.seq,
            target=exchange.target,
            phase=0,
            intended_ns=exchange.started_ns,  # a user intends when it sends
            started_ns=exchange.started_ns,
            sent_ns=exchange.sent_ns,
            first_byte_ns=exchange.first_byte_ns,
            end_ns=end_ns if ended else None,
            dns_ns=exchange.dns_ns,
            connect_ns=exchange.connect_ns,
            tls_ns=exchange.tls_ns,
            reused=exchange.reused if exchange.sent_ns else None,
            status=exchange.status,
            error=error,
            head=exchange.head.encode("latin-1", "replace"),
        )
        self._outbox.put(astuple(fact))
