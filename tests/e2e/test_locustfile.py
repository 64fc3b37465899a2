"""A user's own Locust file as a run's load: each of its requests is one invocation, seen at the socket."""

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e import cli
from tests.e2e.cli import add_up, coldbench, only_folder, parsed
from tests.e2e.raw_server import Pieces, Visit, ok, raw_server

BOTH = """
from pathlib import Path
from locust import FastHttpUser, HttpUser, constant, events, task

class Fast(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def read(self):
        self.client.get("/fast")

class Slow(HttpUser):
    wait_time = constant(0.05)

    @task
    def read(self):
        with self.client.post("/slow", json={"a": 1}, catch_response=True) as answer:
            answer.failure("not as expected")

@events.quitting.add_listener
def quitting(environment, **_):
    Path("total").write_text(str(environment.stats.total.num_requests))
"""


def user(kind: str, body: str, *, before: str = "") -> str:
    return f"""
from locust import FastHttpUser, HttpUser, constant, task
{before}
class Mine({kind}):
    wait_time = constant(0.05)

    @task
    def mine(self):
        {body}
"""


def run(tmp_path: Path, text: str, *options: str, users: int = 1) -> Any:
    (tmp_path / "mine.py").write_text(text)
    load = ("--profile", "mine.py", "--set", f"users={users}", "--set", "duration=1s")
    return coldbench("run", *options, *load, "--json", "-", cwd=tmp_path)


def rows(tmp_path: Path, columns: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(only_folder(tmp_path) / "samples.db")) as samples:
        return samples.execute(f"SELECT {columns} FROM invocation ORDER BY seq").fetchall()


async def hello(visit: Visit) -> bytes:
    return ok(b"hello")


def test_both_kinds_of_users_are_recorded_with_their_phases(tmp_path: Path) -> None:
    with raw_server(hello) as server:
        done = run(tmp_path, BOTH, "--url", f"f={server.url}", users=4)
    assert done.returncode == 0, done.stderr
    record = parsed(done)
    add_up(record)
    counts = record["counts"]
    assert counts["completed"] == counts["intended"] == len(server.visits) > 8
    assert counts["completed"] == int((tmp_path / "total").read_text())  # Locust's own
    assert {visit.head.split(b" ")[1] for visit in server.visits} == {b"/fast", b"/slow"}
    ids = [
        line
        for visit in server.visits
        for line in visit.head.split(b"\r\n")
        if b"coldbench-id" in line.lower()
    ]
    assert len(set(ids)) == len(server.visits)
    assert record["fidelity"]["connections_opened"] == server.connections == 4
    found = rows(tmp_path, "started_ns, sent_ns, first_byte_ns, end_ns, connect_ns, reused, status")
    assert sum(not reused for *_, reused, _ in found) == 4
    for started, sent, first_byte, end, connect, reused, status in found:
        assert 0 <= started < sent < first_byte <= end
        assert (connect is None) == bool(reused)
        assert status == 200


@pytest.mark.parametrize("kind", ["FastHttpUser", "HttpUser"])
def test_nothing_is_retried_unseen(tmp_path: Path, kind: str) -> None:
    async def every_other(visit: Visit) -> bytes | None:
        return ok() if visit.number == 1 else None

    with raw_server(every_other) as server:
        done = run(tmp_path, user(kind, 'self.client.get("/")'), "--url", f"f={server.url}")
    counts = parsed(done)["counts"]
    assert counts["completed"] + counts["errors"] == len(server.visits) > 2
    assert {error for (error,) in rows(tmp_path, "error")} == {None, "stale_reuse"}


@pytest.mark.parametrize("kind", ["FastHttpUser", "HttpUser"])
def test_a_followed_redirect_is_two_and_a_body_cut_short_an_error(tmp_path: Path, kind: str) -> None:
    async def away(visit: Visit) -> bytes | Pieces:
        if b" /old " in visit.head:
            return b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n"
        return Pieces([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"short"], close=True)

    with raw_server(away) as server:
        run(tmp_path, user(kind, 'self.client.get("/old")'), "--url", f"f={server.url}")
    found = rows(tmp_path, "status, error")
    assert len(found) == len(server.visits)
    assert found[:2] == [(302, None), (200, "closed")]


def test_what_never_answers_is_unfinished(tmp_path: Path) -> None:
    async def never(visit: Visit) -> Pieces:
        return Pieces([])

    with raw_server(never) as server:
        done = run(tmp_path, user("HttpUser", 'self.client.get("/")'), "--url", server.url, "--timeout", "1s")
    assert done.returncode == 3
    (folder,) = (tmp_path / "reports").iterdir()
    record = msgspec.json.decode((folder / "run.json").read_bytes())
    add_up(record)
    assert record["counts"]["unfinished"] == len(server.visits) == 1


def test_requests_belong_to_the_longest_url_and_connections_last_beyond_descriptor_1024(
    tmp_path: Path,
) -> None:
    held = "import os\nheld = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]\n"
    body = "self.client.get('/a'); self.client.get('/b/c'); self.client.get('/bad')"
    with raw_server(hello) as server:
        api = ("--url", f"root={server.url}", "--url", f"b={server.url}b")
        done = run(tmp_path, user("FastHttpUser", body, before=held), *api)
    assert done.returncode == 0, done.stderr
    assert server.connections == 1
    assert [target for (target,) in rows(tmp_path, "target")][:3] == ["root", "b", "root"]


def test_requests_elsewhere_and_failing_tasks_are_said(tmp_path: Path) -> None:
    async def refused(visit: Visit) -> bytes:
        return ok()

    body = 'self.client.get("/"); self.client.get("http://127.0.0.1:9/"); {}["missing"]'
    with raw_server(refused) as server:
        done = run(tmp_path, user("HttpUser", body), "--url", server.url)
    assert done.returncode == 4
    notes = " ".join(parsed(done)["notes"])
    assert "KeyError: 'missing'" in notes
    assert f"{len(server.visits)} requests of the Locust file went to no target" in notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import locust\nraise ValueError('no such thing')\n", "mine.py:2: ValueError: no such thing"),
        ("def broken(:\n", "mine.py:1: SyntaxError"),
        ("import locust\n", "no user class"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    done = run(tmp_path, text, "--url", "http://127.0.0.1:9/")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_file_says_itself_cannot_be_said_beside_it(tmp_path: Path) -> None:
    for option in (("-H", "A: b"), ("--connections", "fresh"), ("--set", "repeat=2"), ("--set", "think=1s")):
        done = run(tmp_path, BOTH, "--url", "http://127.0.0.1:9/", *option)
        assert done.returncode == 2, option
        assert "file" in done.stderr


@pytest.mark.slow
def test_a_file_that_never_returns_is_ended_by_the_second_signal(tmp_path: Path) -> None:
    """A server's script, say, which serves when it is imported: it heard no signal at all."""
    (tmp_path / "serving.py").write_text(
        "import pathlib, time\npathlib.Path('imported').touch()\ntime.sleep(600)"
    )
    asked = ("run", "--url", "http://127.0.0.1:1/", "--profile", "serving.py")
    with cli.started(*asked, cwd=tmp_path) as run:
        while not (tmp_path / "imported").exists():
            assert run.poll() is None
            time.sleep(0.05)
        for _ in range(2):
            run.send_signal(signal.SIGINT)
            time.sleep(0.5)
        _, words = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "Traceback" not in words
