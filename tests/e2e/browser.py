"""A headless Chromium of its own, driven by its DevTools protocol; it ends with the context.

https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_START_S = 30.0


class Page:
    """One tab. `faults` are console errors and exceptions, `requests` the addresses that it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.faults: list[str] = []
        self.requests: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result; what happens meanwhile is kept."""
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._asked:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    async def open(self, address: str) -> None:
        """Go there, and return when the page says that it has loaded."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)
        while (message := await self._socket.receive_json()).get("method") != "Page.loadEventFired":
            self._note(message)

    async def value(self, expression: str) -> Any:
        """Of a JavaScript expression, or of the promise that it makes."""
        done = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.faults.append(params["exceptionDetails"].get("text", "exception"))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.faults.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.faults.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])


@asynccontextmanager
async def browser(*flags: str) -> AsyncIterator[Page]:
    """An empty tab of a new browser without a profile."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", *flags, "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            address = await asyncio.wait_for(_address(process.stderr), _START_S)
            words = asyncio.create_task(process.stderr.read())  # or the pipe fills and it stops
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{address}/json/list") as tabs:
                    (tab,) = [tab for tab in await tabs.json() if tab["type"] == "page"]
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            await process.wait()
        await words


async def _address(words: asyncio.StreamReader) -> str:
    """Host and port of its DevTools, which it says on standard error."""
    while line := (await words.readline()).decode():
        if line.startswith("DevTools listening on ws://"):
            return line.split("/")[2]
    raise AssertionError("chromium ended before it listened")


def as_url(path: Path) -> str:
    """Of a file, for `Page.open`."""
    return path.absolute().as_uri()
