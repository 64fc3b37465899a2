"""`python -m coldbench.lab`: functions on loopback, until standard input ends.

The first line of standard input is a JSON list of `FunctionSpec`; the first line of standard output says
their endpoints, or what is wrong.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from coldbench.core.errors import ColdbenchError, ExitCode
from coldbench.core.function_spec import FunctionSpec
from coldbench.lab.function import Function, Platform
from coldbench.lab.http_contract import Ports, client
from coldbench.lab.launch import launch
from coldbench.lab.spawning import Spawner
from coldbench.runs.process import raise_descriptor_limit


def main() -> int:
    """Serve what standard input asks for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()  # every caller that waits has one
    specs = msgspec.json.decode(sys.stdin.readline(), type=list[FunctionSpec])
    try:
        asyncio.run(_serve(specs))
    except (ColdbenchError, OSError) as error:
        code = error.exit_code if isinstance(error, ColdbenchError) else ExitCode.FAULT
        _say(error=str(error), code=code)
        return code
    return ExitCode.DONE


async def _serve(specs: Sequence[FunctionSpec]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="coldbench-lab-"))
        how = [launch(Path(spec.folder), Path(folder)) for spec in specs]
        session = await stack.enter_async_context(client())
        spawner = await Spawner.launch()
        platform = Platform(spawner=spawner, session=session, ports=Ports(), folder=Path(folder))
        endpoints = []
        for spec, its in zip(specs, how, strict=True):
            runner = web.ServerRunner(_Gateway(Function(spec, its, platform)))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
            endpoints.append(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        # First of all that is undone: no instance outlives what it talks to.
        stack.push_async_callback(spawner.close)
        _say(endpoints=endpoints)
        await _end_of_input()


class _Gateway(web.Server):
    """The HTTP server in front of one function."""

    def __init__(self, function: Function) -> None:
        super().__init__(function.handle)
        self._connected = function.connected

    def __call__(self) -> RequestHandler:
        """asyncio's protocol for a connection that has just been made."""
        self._connected()
        return super().__call__()


def _say(**fields: object) -> None:
    """To whoever asked for the lab, unless they have gone: then their end of input says so too."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(fields).encode() + b"\n")


async def _end_of_input() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    with contextlib.suppress(ValueError):
        loop.remove_reader(sys.stdin)


if __name__ == "__main__":
    sys.exit(main())
