"""coldbench's shim for Python 3.9 or newer: the function tells the truth about its own instance.

Save it as coldbench_shim.py beside your function, and put two lines into your function:

    from coldbench_shim import shim    # the first import: the init counts from here
    ...
    handler = shim.lambda_handler(handler)    # the last line; AWS Lambda
    app = shim.wsgi(app)                      # Flask, Django, gunicorn ...
    app = shim.asgi(app)                      # FastAPI, Starlette ...
    hello = shim.flask_view(hello)            # functions-framework, Google Cloud Functions

Every answer then carries `Server-Timing` and `Cache-Control: no-store`. From the environment it takes
COLDBENCH_PROCESS_STARTED (epoch seconds: the init counts from the start of the process) and
COLDBENCH_HOLD=1 (callers may keep an instance busy by X-Coldbench-Hold-Ms and X-Coldbench-Hold-Until).
"""

from __future__ import annotations

import itertools
import json
import os
import time
import uuid

TYPE_CHECKING = False  # typing is not imported at run time: it would be part of the init
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Any

    Headers = list[tuple[str, str]]

_HOLD_AT_MOST_S = 10.0
_OLDEST_US = 3_600_000_000  # a stamp older than an hour has another unit, one in the future another clock


def now_us() -> int:
    """The clock of the system, epoch microseconds."""
    return time.time_ns() // 1000


_imported_us = now_us()


class Shim:
    """One a process. All instants are epoch microseconds, so that they compare with the platform's."""

    def __init__(self) -> None:
        started_us = _micros(os.environ.get("COLDBENCH_PROCESS_STARTED", ""))
        self._began_us = _imported_us if started_us is None else started_us
        self._counts_from = "import" if started_us is None else "process"
        self._restored = False
        self._spans: list[str] = []
        self._may_hold = os.environ.get("COLDBENCH_HOLD") == "1"
        self.ended_us = _imported_us
        self._instance = ""
        self._new_instance()
        os.register_at_fork(after_in_child=self._new_instance)  # a worker process is its own instance

    def span(self, name: str, began_us: int) -> None:
        """A named part of the init (letters, digits, - and _) that began then and ends now."""
        self._spans.append(f"init-{name};dur={(now_us() - began_us) / 1000:.3f}")

    def init_ended(self) -> None:
        """The init ends now. The wrappers below say so; call it where yours ends later than they are used."""
        self.ended_us = now_us()

    def restored(self) -> None:
        """A snapshot was restored: an instance whose init was another's. On Lambda it is called for you."""
        self._restored = True
        self._spans.clear()
        self._new_instance()
        self.init_ended()

    def arrived(self, request_start: str | None, epoch_ms: int | None = None) -> Visit:
        """A request has come, which the platform received at `request_start` (its header) or `epoch_ms`."""
        at_us = now_us()
        seq = next(self._count)
        # Lazily: a copy that is forked or restored before its first request makes its own.
        self._instance = self._instance or str(uuid.uuid4())
        received_us = _stamp_us(request_start)
        if received_us is None and epoch_ms is not None:
            received_us = epoch_ms * 1000
        return Visit(self._instance_metrics(at_us, seq), at_us, received_us)

    def hold_s(self, until_ms: str | None, for_ms: str | None) -> float:
        """For how long the caller asks to be kept, where the function's owner allows that; else 0."""
        if not self._may_hold:
            return 0.0
        try:
            asked_s = float(until_ms) / 1000 - time.time() if until_ms else float(for_ms or 0) / 1000
        except ValueError:
            return 0.0
        return min(asked_s, _HOLD_AT_MOST_S) if asked_s > 0 else 0.0

    def lambda_handler(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """A handler behind API Gateway, a function URL or a load balancer; other events pass through."""
        try:
            from snapshot_restore_py import register_after_restore
        except ImportError:
            pass  # not a runtime that restores snapshots
        else:
            register_after_restore(self.restored)

        def handle(event: Any, context: Any) -> Any:
            request = event.get("requestContext") if isinstance(event, dict) else None
            if not isinstance(request, dict):
                return handler(event, context)
            sent = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            epoch_ms = request.get("timeEpoch", request.get("requestTimeEpoch"))
            visit = self.arrived(sent.get("x-request-start"), epoch_ms)
            self._hold(sent.get)
            return _with_headers(handler(event, context), visit.headers(), event)

        self.init_ended()
        return handle

    def wsgi(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """A WSGI application (PEP 3333)."""

        def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            visit = self.arrived(environ.get("HTTP_X_REQUEST_START"))
            self._hold(lambda name: environ.get("HTTP_" + name.upper().replace("-", "_")))

            def start(status: str, headers: Headers, *more: Any) -> Any:
                return start_response(status, _merged(headers, visit.headers()), *more)

            return app(environ, start)

        self.init_ended()
        return wrapped

    def asgi(self, app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """An ASGI 3 application."""

        async def wrapped(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            sent = dict(_decoded(*pair) for pair in scope["headers"])
            visit = self.arrived(sent.get("x-request-start"))
            held_s = self.hold_s(sent.get("x-coldbench-hold-until"), sent.get("x-coldbench-hold-ms"))
            if held_s:
                import asyncio

                await asyncio.sleep(held_s)

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    own = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", ())]
                    merged = [
                        (n.lower().encode(), v.encode("latin-1")) for n, v in _merged(own, visit.headers())
                    ]
                    message = {**message, "headers": merged}
                await send(message)

            return await app(scope, receive, sending)

        self.init_ended()
        return wrapped

    def flask_view(self, view: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A function of Flask's request, as functions-framework calls it."""
        import flask

        def wrapped(request: Any) -> Any:
            visit = self.arrived(request.headers.get("X-Request-Start"))
            self._hold(request.headers.get)
            response = flask.make_response(view(request))
            for name, value in _merged(list(response.headers), visit.headers())[-2:]:
                response.headers[name] = value
            return response

        self.init_ended()
        return wrapped

    def _new_instance(self) -> None:
        self._count = itertools.count(1)  # counts right among threads
        self._instance = ""

    def _hold(self, sent: Callable[[str], str | None]) -> None:
        held_s = self.hold_s(sent("x-coldbench-hold-until"), sent("x-coldbench-hold-ms"))
        if held_s:
            time.sleep(held_s)

    def _instance_metrics(self, at_us: int, seq: int) -> list[str]:
        init_ms = (self.ended_us - self._began_us) / 1000
        init = [] if self._restored else [f'init;dur={init_ms:.3f};desc="{self._counts_from}"']
        age = f"age;dur={(at_us - self.ended_us) / 1000:.3f}"
        return [*init, *self._spans, age, f'seq;desc="{seq}"', f'inst;desc="{self._instance}"']


class Visit:
    """One request's stay in the instance."""

    def __init__(self, metrics: list[str], at_us: int, received_us: int | None) -> None:
        self._metrics = metrics
        self._at_us = at_us
        self._queue_us = None if received_us is None else at_us - received_us

    def headers(self) -> Headers:
        """For the answer, right before it is sent."""
        parts = [*self._metrics, f"exec;dur={(now_us() - self._at_us) / 1000:.3f}"]
        if self._queue_us is not None and 0 <= self._queue_us < _OLDEST_US:
            parts.append(f"queue;dur={self._queue_us / 1000:.3f}")
        return [("Server-Timing", ", ".join(parts)), ("Cache-Control", "no-store")]


def _stamp_us(request_start: str | None) -> int | None:
    """`t=1700000000.123456`, as nginx's `t=${msec}` has it; other forms are not read."""
    return _micros(request_start[2:]) if request_start and request_start.startswith("t=") else None


def _micros(seconds: str) -> int | None:
    """None of what is no number: `date +%s.%N` of some systems leaves the `%N` as it is."""
    try:
        return round(float(seconds) * 1e6)
    except (ValueError, OverflowError):
        return None


def _decoded(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1"), value.decode("latin-1")


def _merged(own: Headers, ours: Headers) -> Headers:
    """The function's own headers, then ours: its Server-Timing is kept, its Cache-Control is not."""
    names = [name.lower() for name, _ in ours]
    kept = [(name, value) for name, value in own if name.lower() not in names]
    metrics = [value for name, value in own if name.lower() == "server-timing"]
    (timing, ours_only), *rest = ours
    return [*kept, (timing, ", ".join([*metrics, ours_only])), *rest]


def _with_headers(result: Any, ours: Headers, event: Mapping[str, Any]) -> Any:
    """The answer of a Lambda handler with our headers; what is not an answer to HTTP as it is."""
    if not isinstance(result, dict) or "statusCode" not in result:
        if event.get("version") != "2.0":
            return result
        # What the payload format 2.0 makes of it (API Gateway's developer guide, "Lambda function response").
        body = result if isinstance(result, str) else json.dumps(result)
        result = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
    several = result.get("multiValueHeaders")
    if several is not None:
        own = [(name, value) for name, values in several.items() for value in values]
        lists: dict[str, list[str]] = {}
        for name, value in _merged(own, ours):
            lists.setdefault(name, []).append(value)
        return {**result, "multiValueHeaders": lists}
    own = list((result.get("headers") or {}).items())
    return {**result, "headers": dict(_merged(own, ours))}


shim = Shim()
