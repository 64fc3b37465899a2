"""Reading one response after another from a connection's bytes, within bounds.

httptools (llhttp) finds where a message ends; the header block is kept as it came, for the evidence
readers in the other process. No callback runs for each header.
"""

import re
from typing import Any

import httptools

from coldbench.core.invocation import Error

MAX_HEAD_BYTES = 64 * 1024  # interim responses and trailers included
MAX_BODY_BYTES = 64 * 1024 * 1024

_VERSIONS = "1.0", "1.1"
_ONE = ord("1")
_EMPTY_LINE = b"\r\n\r\n"
_BODILESS = 204, 304
# The trailer section that ends a chunked body (RFC 9112, 7.1): what stands between the last chunk and the
# end. A trailer field line always has a colon, so it cannot be taken for a last chunk.
_TRAILERS = re.compile(rb"(?:\A|\r\n)0+[ \t]*(?:;[^\r\n]*)?\r\n((?:[^\r\n]+\r\n)+)\r\n\Z")


class _Unasked(Exception):
    """A second response begins behind the first."""


class Response:
    """The response under way on one connection.

    `feed` until `complete`, then `reset` for the next one. `error` is set when the bytes are not a
    response, or more than the bounds allow.
    """

    __slots__ = (
        "_head",
        "_head_request",
        "_interim",
        "_parser",
        "_plain",
        "_tail",
        "body_bytes",
        "body_start",
        "chunked",
        "complete",
        "error",
        "keep_alive",
        "keep_body_start",
        "status",
    )

    def __init__(self, *, head_request: bool) -> None:
        self._head_request = head_request
        self._parser: Any = None  # httptools has no types
        self.keep_body_start = 0  # how many bytes of the body to keep
        self.keep_alive = True
        self.error: Error | None = None
        self._plain = False
        self._new_parser()
        self.reset()

    def reset(self) -> None:
        """Ready for the next response on the same connection, which this one has kept alive."""
        self._head = b""
        self.status = 0
        self.body_bytes = 0
        self.body_start = b""
        self.complete = False
        if not self._plain:  # only then is anything else to be forgotten
            # whether all that was received is one head and the body of as many bytes as were told
            self._plain = not self._head_request
            self._interim = False  # whether interim responses came first
            self.chunked = False
            self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take bytes of the plain stream."""
        in_head = not self.status
        if in_head:
            self._head += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.error = Error.PROTOCOL
        except httptools.HttpParserError:
            # After a whole response this is garbage behind it: the response stands, the connection ends.
            if self.complete:
                self.keep_alive = self._plain = False
            else:
                self.error = Error.PROTOCOL
        # Without a final status yet, all of it is head: a flood of interim responses counts too.
        if in_head and len(self._head) > MAX_HEAD_BYTES < len(self.head() if self.status else self._head):
            self.error = Error.TOO_LARGE
        if self.chunked:
            self._tail = (self._tail + data)[-MAX_HEAD_BYTES:]

    def end_of_stream(self) -> None:
        """The peer closed: whole only if the body was delimited by that."""
        self.keep_alive = False
        if self.status and not self.complete and self._delimited_by_close():
            self.complete = True

    def release(self) -> None:
        """Let go of the parser: it refers back, and while a run goes nothing collects such cycles."""
        self._parser = None

    def head(self) -> bytes:
        """The header block of the final response, without the empty line."""
        head = self._head
        if self._plain:
            # If all came at once, its end is where it has to be: no need to search.
            end = len(head) - self.body_bytes - len(_EMPTY_LINE)
            if end > 0 and head.startswith(_EMPTY_LINE, end):
                return head[:end]
        while head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
            _, _, head = head.partition(_EMPTY_LINE)
        return head.partition(_EMPTY_LINE)[0]

    def trailers(self) -> bytes:
        """The trailer block of a chunked response."""
        found = _TRAILERS.search(self._tail)
        return found.group(1) if found else b""

    # The parser's callbacks (httptools finds them by name).

    def on_message_begin(self) -> None:
        if self.complete:
            raise _Unasked

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._interim, self._plain = True, False
            return
        self.status = status
        # The parser's own word for the version takes time to make: a look at "HTTP/1." is faster.
        if (self._interim or self._head[5] != _ONE) and self._parser.get_http_version() not in _VERSIONS:
            self.error = Error.PROTOCOL
        if self._head_request:
            # llhttp cannot know that no body follows; a fresh parser forgets that it waits for one.
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive()
            self._new_parser()

    def on_chunk_header(self) -> None:
        self.chunked, self._plain = True, False

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return  # what a HEAD request must not be answered with
        self.body_bytes += len(body)
        if self.body_bytes > MAX_BODY_BYTES:
            self.error = Error.TOO_LARGE
        if self.keep_body_start:
            self.body_start = (self.body_start + body)[: self.keep_body_start]

    def on_message_complete(self) -> None:
        if self._head_request:
            return
        if self.status:
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive()

    def _new_parser(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    def _delimited_by_close(self) -> bool:
        names = {line.partition(b":")[0].strip().lower() for line in self.head().split(b"\r\n")[1:]}
        return self.status not in _BODILESS and not names & {b"content-length", b"transfer-encoding"}
