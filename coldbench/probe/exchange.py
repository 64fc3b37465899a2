"""What is known of one exchange with a target while it goes on."""

from time import monotonic_ns

from msgspec import Struct, field

from coldbench.core.invocation import Error
from coldbench.evidence.headers import Headers, from_pairs, parse_head
from coldbench.probe.errors import why
from coldbench.probe.network import Instants

_MOST_BODY_BYTES = 64 * 1024 * 1024
_LAST_CHUNK = b"\r\n0\r\n"  # RFC 9112, 7.1


class Exchange(Struct, kw_only=True):
    """What is known of an invocation so far; instants on the monotonic clock."""

    started_ns: int
    keep_body_bytes: int
    tls: bool
    first_byte_ns: int | None = None
    end_ns: int | None = None
    dns_ns: int | None = None
    instants: Instants = field(default_factory=Instants)  # of its connection
    connections_before: int = 0
    status: int | None = None
    fields: list[tuple[str, str]] = []
    body_bytes: int = 0
    body_start: bytearray = bytearray()
    error: Error | None = None
    whole: bool = False

    def begin(self, instants: Instants) -> None:
        """It goes over the connection of these instants."""
        self.instants, self.connections_before = instants, instants.connections
        instants.next_exchange()

    @property
    def sent_ns(self) -> int | None:
        return self.instants.sent_ns

    @property
    def reused(self) -> bool:
        """A kept connection that the peer has closed in silence is not: httpcore dials anew."""
        return 0 < self.connections_before == self.instants.connections

    async def trace(self, event: str, info: dict[str, object]) -> None:
        """Takes httpcore's trace events (https://www.encode.io/httpcore/extensions/#trace)."""
        protocol, _, what = event.partition(".")
        if what == "send_request_headers.started":
            self.instants.next_exchange()  # what HTTP/2 sent before was the connection's own
        elif what == "receive_response_headers.complete":
            # What HTTP/2 sent before the head is the connection's own; of HTTP/1.1 all is the answer.
            instants = self.instants
            self.first_byte_ns = instants.last_read_ns if protocol == "http2" else instants.first_read_ns
            instants.head_whole = True

    def take(self, chunk: bytes) -> None:
        """A part of the body, as it was on the wire (RFC 9112 chunk framing removed)."""
        self.body_bytes += len(chunk)
        self.body_start += chunk[: self.keep_body_bytes - len(self.body_start)]
        if self.body_bytes > _MOST_BODY_BYTES:
            self.error = Error.TOO_LARGE

    def end(self) -> None:
        """The whole answer has come."""
        self.end_ns = self.instants.last_read_ns
        self.whole = True

    def fail(self, failure: BaseException) -> None:
        """It ends without a whole answer."""
        self.end_ns = monotonic_ns()
        if not self.instants.connections and self.dns_ns is None:
            self.error = Error.DNS
            return
        connected = self.instants.connect_ns is not None
        self.error = why(
            failure,
            connected=connected,
            secured=connected and not (self.tls and self.instants.tls_ns is None),
            answering=self.first_byte_ns is not None,
            reused=self.reused,
        )

    def headers(self) -> Headers:
        """The header fields, and the trailers of a chunked HTTP/1.1 answer, which httpcore drops."""
        headers = from_pairs(self.fields)
        if self.whole and "chunked" in headers.get("transfer-encoding", ()):
            *_, trailers = self.instants.tail.rpartition(_LAST_CHUNK)
            for name, values in parse_head(trailers).items():
                headers.setdefault(name, []).extend(values)
        return headers
