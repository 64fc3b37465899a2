"""The pages over HTTP, on loopback only.

Another site's script can make this browser send requests here, under a name of its own that it lets point to
127.0.0.1 (DNS rebinding); so a request is answered only when it names this server as we do. Only reading is
offered, and nothing is ever taken from a path but the name of a run that is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from coldbench.core.errors import UsageError
from coldbench.report.html.page import policy
from coldbench.ui.pages import Filters, compare_page, list_page, run_page

LOOPBACK = "127.0.0.1"
_HEADERS = {
    "Content-Security-Policy": f"{policy()}; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(root: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve the runs under `root` until cancelled; `ready` is told the address.

    A port of 0 takes a free one. Raises UsageError when the port cannot be had.
    """
    runner = web.AppRunner(application(root), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError as error:
            raise UsageError(
                f"cannot be listened on: {error.strerror}",
                place=f"--port {port}",
                hint="choose another one, or 0 for any that is free",
            ) from error
        ready(f"http://{LOOPBACK}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def application(root: Path) -> web.Application:
    """The routes over the runs under `root`."""
    # One page is made at a time: they are for one person, and a measurement may be going on beside them.
    one_at_a_time = asyncio.Lock()

    async def runs(request: web.Request) -> web.Response:
        query = request.query
        filters = Filters(
            text=query.get("text", ""), command=query.get("command", ""), state=query.get("state", "")
        )
        return _html(await asyncio.to_thread(list_page, root, filters))

    async def run(request: web.Request) -> web.Response:
        try:
            async with one_at_a_time:
                shown = await asyncio.to_thread(run_page, root, request.match_info["name"])
        except UsageError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        if shown is None:
            raise web.HTTPNotFound(text="no such run")
        response = _html(shown.document)
        if shown.again_s is not None:
            response.headers["Refresh"] = str(shown.again_s)
        return response

    async def comparison(request: web.Request) -> web.Response:
        try:
            async with one_at_a_time:
                document = await asyncio.to_thread(compare_page, root, request.query.getall("run", []))
        except UsageError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        if document is None:
            raise web.HTTPNotFound(text="no such run")
        return _html(document)

    app = web.Application(middlewares=[_guard])
    app.router.add_get("/", runs)
    app.router.add_get("/runs/{name}", run)
    app.router.add_get("/compare", comparison)
    app.on_response_prepare.append(_add_headers)
    return app


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    assert request.transport is not None
    port = request.transport.get_extra_info("sockname")[1]
    if request.host not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
        raise web.HTTPMisdirectedRequest(text="this server has another name")
    return await handler(request)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _html(document: str) -> web.Response:
    return web.Response(text=document, content_type="text/html")
