"""Contract 2: the Lambda Runtime API, version 2018-06-01.

Each instance has an API of its own, on a port of its own. The payload of a call is API Gateway's version
2.0, and what the function returns becomes HTTP as function URLs do it
(docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, .../urls-invocation.html).
"""

import asyncio
import base64
import json
from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web
from msgspec import Struct

from coldbench.lab.call import Answer, Call
from coldbench.lab.clock import seconds
from coldbench.lab.instance import Instance

_VERSION = "/2018-06-01/runtime"
_TIMEOUT_MS = 900_000


class Pending(Struct, eq=False):
    """A call that waits to be polled for, or for its response."""

    call: Call
    answer: asyncio.Future[Answer]


class RuntimeApi:
    """The API of one instance. `polled` is called at its first poll: the end of its init."""

    def __init__(self, instance: Instance, function: str, polled: Callable[[], None]) -> None:
        self._instance = instance
        self._function = function
        self._polled = polled
        # None ends a poll: the platform closes
        self._inbox: asyncio.Queue[tuple[str, Pending] | None] = asyncio.Queue()
        self._polls = 0
        self._handed: dict[str, Pending] = {}
        self._runner: web.ServerRunner | None = None
        self.init_error: str | None = None

    async def open(self) -> int:
        """Serve it on loopback; the port."""
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop serving it; who still polls is told so."""
        for _ in range(self._polls):
            self._inbox.put_nowait(None)
        if self._runner:
            await self._runner.cleanup()

    async def carry(self, call: Call) -> Answer:
        """Hand the call to the next poll and wait for the response."""
        pending = Pending(call, asyncio.get_running_loop().create_future())
        self._inbox.put_nowait((str(uuid4()), pending))
        self._instance.first_handed.set()
        return await pending.answer

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        # `request.content.read()` and not `request.read()`, which refuses more than a megabyte.
        match request.method, request.path.removeprefix(_VERSION).split("/")[1:]:
            case "GET", ["invocation", "next"]:
                return await self._next()
            case "POST", ["invocation", identity, "response"]:
                return self._answered(identity, http_answer(await request.content.read()))
            case "POST", ["invocation", identity, "error"]:
                return self._answered(identity, error_answer(await request.content.read()))
            case "POST", ["init", "error"]:
                self.init_error = (await request.content.read()).decode("utf-8", "replace")[:4096]
                return web.json_response({"status": "OK"}, status=202)
        return web.json_response({"errorMessage": "no such path", "errorType": "NotFound"}, status=404)

    async def _next(self) -> web.StreamResponse:
        self._polled()
        self._polls += 1
        item = await self._inbox.get()
        self._polls -= 1
        if item is None:
            return web.json_response({"errorType": "Shutdown"}, status=410)
        identity, pending = item
        self._handed[identity] = pending
        call = pending.call
        return web.Response(
            body=json.dumps(payload(call, identity)).encode(),
            content_type="application/json",
            headers={
                "Lambda-Runtime-Aws-Request-Id": identity,
                "Lambda-Runtime-Deadline-Ms": str(call.arrival_us // 1000 + _TIMEOUT_MS),
                "Lambda-Runtime-Invoked-Function-Arn": (
                    f"arn:aws:lambda:local:000000000000:function:{self._function}"
                ),
                "Lambda-Runtime-Trace-Id": f"Root=1-{call.arrival_us // 1_000_000:08x}-{identity[-12:]}",
            },
        )

    def _answered(self, identity: str, answer: Answer) -> web.StreamResponse:
        pending = self._handed.pop(identity, None)
        if pending is None:
            return web.json_response({"errorType": "InvalidRequestID"}, status=400)
        if not pending.answer.done():
            pending.answer.set_result(answer)
        return web.json_response({"status": "OK"}, status=202)


def payload(call: Call, identity: str) -> dict[str, object]:
    """The call in API Gateway's payload format 2.0."""
    path, _, query = call.path.partition("?")
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in call.headers:
        if name.lower() == "cookie":
            cookies += value.split("; ")
        else:
            key = name.lower()
            headers[key] = f"{headers[key]},{value}" if key in headers else value
    headers["x-request-start"] = f"t={seconds(call.arrival_us)}"
    body, encoded = _text_or_base64(call.body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": headers,
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
        "requestContext": {
            "http": {
                "method": call.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": call.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": identity,
            "stage": "$default",
            "timeEpoch": call.arrival_us // 1000,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def http_answer(returned: bytes) -> Answer:
    """What the function returned, as HTTP: with a `statusCode` it is a response, else it is the body."""
    try:
        value = json.loads(returned or b"null")
    except ValueError:
        return Answer(status=200, headers=[("Content-Type", "application/json")], body=returned)
    if not isinstance(value, dict) or "statusCode" not in value:
        body = value.encode() if isinstance(value, str) else returned
        return Answer(status=200, headers=[("Content-Type", "application/json")], body=body)
    headers = [(str(name), str(text)) for name, text in (value.get("headers") or {}).items()]
    headers += [("Set-Cookie", str(cookie)) for cookie in value.get("cookies") or []]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    text = str(value.get("body") or "")
    try:
        status = int(value["statusCode"])
        decoded = base64.b64decode(text) if value.get("isBase64Encoded") else text.encode()
    except (ValueError, TypeError) as error:
        return error_answer(json.dumps({"errorType": "BadResponse", "errorMessage": str(error)}).encode())
    return Answer(status=status, headers=headers, body=decoded)


def error_answer(reported: bytes) -> Answer:
    """An error that the function reported for this call."""
    return Answer(
        status=502,
        headers=[("Content-Type", "application/json")],
        body=reported[:65536],
        failure="function_error",
    )


def _text_or_base64(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
