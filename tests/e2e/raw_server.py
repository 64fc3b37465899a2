"""A server on loopback whose every byte and pause a test decides."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import msgspec

Reply = Callable[["Visit"], Awaitable["bytes | Pieces | None"]]


class Visit(msgspec.Struct):
    """One request, as the server met it. `connection` counts connections, `number` the requests on it."""

    connection: int
    number: int
    head: bytes
    body: bytes
    arrived_ns: int


class Pieces(msgspec.Struct, frozen=True):
    """A reply that goes out in several writes, after which the connection may be closed."""

    pieces: list[bytes]
    close: bool = False


class RawServer:
    """`url`, and what it has seen. A reply of None closes the connection without a word."""

    def __init__(self, port: int, *, tls: bool) -> None:
        self.port = port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
        self.visits: list[Visit] = []
        self.connections = 0
        self.open_now = 0


@contextmanager
def raw_server(
    reply: Reply, *, tls: ssl.SSLContext | None = None, close_after: int | None = None
) -> Iterator[RawServer]:
    """Serve in a thread of its own until the context ends; `close_after` replies a connection is closed."""
    started: threading.Event = threading.Event()
    holder: dict[str, object] = {}

    async def serve() -> None:
        from time import monotonic_ns

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.connections += 1
            server.open_now += 1
            connection = server.connections
            tasks.add(asyncio.current_task())
            try:
                number = 0
                while close_after is None or number < close_after:
                    head = await reader.readuntil(b"\r\n\r\n")
                    arrived = monotonic_ns()
                    number += 1
                    length = 0
                    for line in head.lower().split(b"\r\n"):
                        if line.startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    body = await reader.readexactly(length)
                    visit = Visit(connection, number, head, body, arrived)
                    server.visits.append(visit)
                    answer = await reply(visit)
                    if answer is None:
                        break
                    pieces = answer.pieces if isinstance(answer, Pieces) else [answer]
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                    if isinstance(answer, Pieces) and answer.close:
                        break
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass  # the client is gone, or the test has ended
            finally:
                server.open_now -= 1
                tasks.discard(asyncio.current_task())
                writer.close()

        tasks: set[asyncio.Task[None] | None] = set()
        listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, backlog=4096)
        server = RawServer(listener.sockets[0].getsockname()[1], tls=tls is not None)
        stop = asyncio.Event()
        holder.update(server=server, stop=stop, loop=asyncio.get_running_loop())
        started.set()
        await stop.wait()
        listener.close()
        for task in list(tasks):
            if task:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    try:
        yield holder["server"]  # type: ignore[misc]
    finally:
        holder["loop"].call_soon_threadsafe(holder["stop"].set)  # type: ignore[attr-defined]
        thread.join()


def ok(body: bytes = b"hello", *headers: bytes) -> bytes:
    """A whole response."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
