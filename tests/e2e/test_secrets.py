"""A function that repeats its request: nothing of what was secret in it is written or printed."""

import json
from pathlib import Path

import pytest

from tests.e2e.cli import coldbench, nowhere
from tests.e2e.raw_server import Visit, ok, raw_server

SECRETS = ("hunter-key", "hunter-token", "hunter-query", "hunter-own", "hunter-user")
SENT = (
    *("-H", "X-Api-Key: $API_KEY", "-H", "Authorization: Token hunter-token", "-H", "X-Own: $OWN"),
    *("--timeout", "5s"),
)


async def echo(visit: Visit) -> bytes:
    request, *lines = visit.head.decode().strip().split("\r\n")
    own = next(line for line in lines if line.startswith("X-Own"))
    fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = json.dumps({"url": request, "headers": fields, "mine": sorted(fields.values())})
    return ok(body.encode(), b"X-Echo: %s" % own.encode(), b"X-Request-Id: %s" % own[7:].encode())


@pytest.mark.promise("secrets in headers, URLs and environment", "written nowhere")
@pytest.mark.parametrize(
    "how",
    [("run", "--profile", "burst", "--set", "size=3"), ("probe", "--samples", "1", "--prepare", "true")],
)
def test_what_a_function_echoes_of_its_request_is_not_written(tmp_path: Path, how: tuple[str, ...]) -> None:
    with raw_server(echo) as server:
        url = server.url.replace("//", "//hunter-user:x@") + "?a=1&clientKey=hunter-query"
        given = ("--url", url, *SENT)
        secrets = {"API_KEY": "hunter-key", "OWN": "hunter-own"}
        done = coldbench(*how, *given, cwd=tmp_path, **secrets)
        doctor = coldbench("doctor", *given, "--json", "-", cwd=tmp_path, **secrets)
        page = coldbench("report", "--format", "html", cwd=tmp_path)
    assert b"hunter-query" in server.visits[0].head
    assert b"hunter-own" in server.visits[0].head
    assert doctor.returncode == page.returncode == 0, doctor.stderr + page.stderr
    assert "REDACTED" in page.stdout
    nowhere(SECRETS, tmp_path, done, doctor, page)
