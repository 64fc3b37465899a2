"""Contract 1: the instance listens on $PORT."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom
from types import SimpleNamespace

import aiohttp
from yarl import URL

from coldbench.lab.call import Answer, Call, InstanceLost
from coldbench.lab.clock import seconds
from coldbench.lab.evidence import incoming
from coldbench.lab.instance import Instance

_LOOK_S = 0.003
# Below the ports that systems give out by themselves, so that nobody takes one before its instance does.
_FIRST_PORT, _LAST_PORT = 10_240, 32_000


class Ports:
    """Free ports for instances."""

    def __init__(self) -> None:
        self._next = SystemRandom().randrange(_FIRST_PORT, _LAST_PORT)

    def take(self) -> int:
        """One that nobody listens on."""
        for _ in range(_FIRST_PORT, _LAST_PORT):
            self._next = self._next + 1 if self._next < _LAST_PORT else _FIRST_PORT
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", self._next))
                except OSError:
                    continue
            return self._next
        raise OSError("no free port")


@asynccontextmanager
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """The gateway's side towards HTTP instances."""
    tracing = aiohttp.TraceConfig()

    async def written(session: object, context: SimpleNamespace, params: object) -> None:
        context.trace_request_ctx.first_handed.set()

    tracing.on_request_headers_sent.append(written)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        trace_configs=[tracing],
    ) as session:
        yield session


async def listening(instance: Instance, port: int) -> None:
    """Returns when something listens on the instance's port, or the instance is gone."""
    while not instance.gone.done() and instance.ready_us is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_LOOK_S)
        else:
            writer.close()
            return


async def carry(session: aiohttp.ClientSession, instance: Instance, port: int, call: Call) -> Answer:
    """Hand the call to the instance. Raises InstanceLost."""
    headers = [*incoming(call.headers), ("X-Request-Start", f"t={seconds(call.arrival_us)}")]
    try:
        async with session.request(
            call.method,
            URL(f"http://127.0.0.1:{port}{call.path}", encoded=True),
            headers=headers,
            data=call.body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            trace_request_ctx=instance,
        ) as response:
            return Answer(
                status=response.status,
                headers=[(name, value) for name, value in response.headers.items()],
                body=await response.read(),
            )
    except aiohttp.ClientError as error:
        raise InstanceLost(str(error) or type(error).__name__) from error
