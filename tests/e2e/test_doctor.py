"""`coldbench doctor` as a user runs it: against the lab's three modes of evidence, and against trouble."""

import socket
from pathlib import Path

import pytest

from tests.e2e.cli import coldbench, parsed
from tests.e2e.raw_server import Visit, ok, raw_server


@pytest.mark.parametrize(("mode", "level"), [("full", 2), ("headers", 1), ("none", 0)])
def test_the_level_is_what_the_lab_lets_through(mode: str, level: int, tmp_path: Path) -> None:
    done = coldbench("doctor", "--url", f"lab:custom?evidence={mode}", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    doctor = parsed(done)["doctor"]
    assert doctor["evidence_level"] == level
    assert doctor["completed"] == doctor["requests"] == 4
    assert ("cold_flag" in doctor["found"]) == (level > 0)
    assert ("exec_ms" in doctor["found"]) == (level > 1)
    assert not doctor["found"].keys() & doctor["missing"].keys()
    assert f"evidence  level {level}" in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_cache_a_cookie_and_a_closed_connection_are_told(tmp_path: Path) -> None:
    async def cached(visit: Visit) -> bytes:
        return ok(b"old", b"Age: 30", b"Set-Cookie: AWSALB=secret")

    with raw_server(cached, close_after=1) as server:
        done = coldbench("doctor", "--url", server.url, "--json", "-", cwd=tmp_path)
    warnings = " ".join(parsed(done)["doctor"]["warnings"])
    assert "a cache answered (age: 30)" in warnings
    assert "the cookies AWSALB pin a caller to one instance" in warnings
    assert "secret" not in done.stdout + done.stderr


def test_a_redirect_is_named_and_not_followed(tmp_path: Path) -> None:
    async def moved(visit: Visit) -> bytes:
        return b"HTTP/1.1 301 Moved\r\nLocation: https://there.example/f\r\nContent-Length: 0\r\n\r\n"

    with raw_server(moved) as server:
        done = coldbench("doctor", "--url", server.url, cwd=tmp_path)
    assert "a redirect to https://there.example/f" in done.stdout
    assert len(server.visits) == 4


def test_the_key_in_a_url_is_not_printed(tmp_path: Path) -> None:
    async def hello(visit: Visit) -> bytes:
        return ok()

    with raw_server(hello) as server:
        done = coldbench("doctor", "--url", server.url + "?code=hidden&x=1", cwd=tmp_path)
    assert done.returncode == 0
    assert "hidden" not in done.stdout + done.stderr
    assert server.visits[0].head.startswith(b"GET /?code=hidden&x=1 ")


def test_a_target_that_never_answers_is_exit_3(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        done = coldbench("doctor", "--url", url, cwd=tmp_path)
    assert done.returncode == 3
    assert "refused" in done.stderr


def test_two_targets_are_a_usage_error(tmp_path: Path) -> None:
    done = coldbench("doctor", "--url", "a=http://127.0.0.1:9", "--url", "b=http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2


def test_headers_are_shown_as_they_were_sent_with_what_they_tell(tmp_path: Path) -> None:
    async def function(visit: Visit) -> bytes:
        return ok(
            b"hello",
            b"X-Cold-Start: false",
            b"X-Init-Duration-Ms: 120",
            b"X-Replica: one",
            b"Date: Mon, 23 Nov 2026 10:00:00 GMT",
        )

    with raw_server(function) as server:
        done = coldbench("doctor", "--url", server.url, cwd=tmp_path)
        named = coldbench("doctor", "--url", server.url, "--instance-header", "x-replica", cwd=tmp_path)
    assert "found     cold_flag: whether this was the first use of an instance (X-Cold-Start)" in done.stdout
    assert "not read  X-Replica: one" in done.stdout
    assert "coldbench probe --url" in done.stdout
    assert "found     instance: which instance answered (X-Replica)" in named.stdout
    assert "not read" not in named.stdout
