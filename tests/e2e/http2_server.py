"""A small HTTP/2 server over TLS, on loopback, in a thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import h2.config
import h2.connection
import h2.events
import trustme


class Http2Server:
    """`url`, and the headers of each request it has seen."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[bytes, bytes]] = []
        self.connections = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        try:
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.requests.append(dict(event.headers))
                        head = [(":status", "200"), ("server-timing", "exec;dur=3")]
                        connection.send_headers(event.stream_id, head)
                        connection.send_data(event.stream_id, b"hello", end_stream=True)
                writer.write(connection.data_to_send())
        except OSError:
            pass  # the client is gone
        finally:
            writer.close()


@contextmanager
def http2_server() -> Iterator[Http2Server]:
    """Serve until the context ends; the certificate is nobody's."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.set_alpn_protocols(["h2"])
    trustme.CA().issue_cert("localhost", "127.0.0.1").configure_cert(tls)
    server, loop, ready = Http2Server(), asyncio.new_event_loop(), threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        listener = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
        server.url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        ready.set()
        await stop.wait()
        listener.close()
        clients = asyncio.all_tasks() - {asyncio.current_task()}
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
