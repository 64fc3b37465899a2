"""Serves a function on $PORT: HTTP/1.1 on the standard library's event loop, with the shim around it.

One thread, so that requests are counted in the order in which they come.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "evidence" / "shims"))

from coldbench_shim import shim

Handler = Callable[[str, str, bytes], tuple[int, object]]


def serve(handler: Handler) -> None:
    """Answer requests with `handler(method, path, body) -> (status, value)` until standard input ends.

    By as many processes as $WEB_CONCURRENCY says, which gunicorn and others take, too.
    """
    workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
    for _ in range(workers - 1):
        if os.fork() == 0:
            os.environ.pop("COLDBENCH_READY", None)  # the first process says it for all
            break
    asyncio.run(_serve(handler, several=workers > 1))


async def _serve(handler: Handler, *, several: bool) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                request, *lines = head.split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, colon, value in (line.partition(":") for line in lines)
                    if colon
                }
                visit = shim.arrived(headers.get("x-request-start"))
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, path, _ = request.split(" ", 2)
                held_s = shim.hold_s(
                    headers.get("x-coldbench-hold-until"), headers.get("x-coldbench-hold-ms")
                )
                if held_s:
                    await asyncio.sleep(held_s)
                status, value = handler(method, path.partition("?")[0], body)
                answer = json.dumps(value).encode()
                lines = [f"HTTP/1.1 {status} {'OK' if status < 400 else 'Error'}"]
                lines += ["Content-Type: application/json", f"Content-Length: {len(answer)}"]
                lines += [f"{name}: {text}" for name, text in visit.headers()]
                if several:  # a kept connection would keep to one process
                    lines.append("Connection: close")
                writer.write(
                    "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else answer)
                )
                await writer.drain()
                if several:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    port = int(os.environ["PORT"])
    server = await asyncio.start_server(connected, "127.0.0.1", port, backlog=512, reuse_port=several)
    # The platform's end of standard input is the platform's end: nobody is left to serve.
    asyncio.get_running_loop().add_reader(sys.stdin, lambda: os._exit(0))
    shim.init_ended()
    _tell_lab(shim.ended_us)
    async with server:
        await server.serve_forever()


def _tell_lab(ended_us: int) -> None:
    """To a platform that listens: everything that runs before the first request has run."""
    path = os.environ.pop("COLDBENCH_READY", "")
    if path:
        with open(path, "w") as listener:
            listener.write(f"READY {ended_us // 1_000_000}.{ended_us % 1_000_000:06d}\n")
