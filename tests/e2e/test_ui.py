"""The reports folder in a browser: the real command, over real sockets."""

import asyncio
import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldbench.core.judge import JUDGE_VERSION
from coldbench.core.summary import State
from coldbench.core.verdict import ColdKind, Verdict
from coldbench.runs.folder import RECORD, create, write_record
from coldbench.runs.process import process_started
from coldbench.runs.samples import SAMPLES, SampleWriter
from tests.e2e.browser import CHROMIUM, browser
from tests.e2e.cli import coldbench, started
from tests.unit.measured import measured
from tests.unit.report_runs import PYTHON, run_of
from tests.unit.sampled import call, judged, samples_in

DONE = run_of(PYTHON, judge_version=JUDGE_VERSION)
SECRET = "nobody's business"


def a_run_in(place: Path) -> Path:
    """The folder of a run that is over; its root is `reports` in `place`. A secret lies beside the root."""
    folder = create(place / "reports", "run", "demo", datetime(2026, 11, 23, tzinfo=UTC))
    write_record(folder, DONE)
    facts = [call(seq, at_ms=seq, target="python") for seq in range(20)]
    samples_in(folder, facts, [judged(seq, Verdict.COLD, ColdKind.IDLE) for seq in range(20)])
    outside = place / "outside"
    outside.mkdir()
    (outside / RECORD).write_text(SECRET)
    return folder


@contextmanager
def pages(kept: Path) -> Iterator[str]:
    """Host and port where the run's root is served; it ends as Ctrl-C ends it."""
    with started("ui", "--port", "0", cwd=kept.parent.parent) as process:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("http://").removesuffix("/\n")
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in words


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run for all the tests that only look."""
    return a_run_in(tmp_path_factory.mktemp("ui"))


@pytest.fixture(scope="module")
def address(kept: Path) -> Iterator[str]:
    """One server for all the tests that only look."""
    with pages(kept) as served:
        yield served


def asked(
    address: str, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body; the path goes out as it is."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", address if host is None else host)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read().decode()
    finally:
        connection.close()


def test_the_list_leads_to_the_runs(address: str, kept: Path) -> None:
    status, headers, listed = asked(address, "/")
    assert status == 200
    assert f'<a href="/runs/{kept.name}">' in listed
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    status, headers, run = asked(address, f"/runs/{kept.name}")
    assert status == 200
    assert "a cold start costs its caller 71.3 ms" in run
    assert "Refresh" not in headers


def test_ticked_runs_are_compared(tmp_path: Path) -> None:
    one = measured(tmp_path / "reports", "main", {"node": 100.0})
    other = measured(tmp_path / "reports", "pr", {"node": 150.0}, seed=1)
    with pages(one) as served:
        _, _, listed = asked(served, "/")
        assert f'<input type="checkbox" name="run" value="{one.name}"' in listed
        status, headers, page = asked(served, f"/compare?run={one.name}&run={other.name}")
        assert status == 200
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "node: by startup, shortest first: main &lt; pr" in page
        assert asked(served, f"/compare?run={one.name}")[0] == 422  # nothing to compare it with
        assert asked(served, "/compare")[0] == 422
        assert asked(served, f"/compare?run={one.name}&run=../outside")[0] == 404


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("text=DEMO", 1),
        ("text=nothing", 0),
        ("command=run&state=complete", 1),
        ("state=running", 0),
        ("command=probe", 0),
        ("text=%3Cscript%3E", 0),
    ],
)
def test_the_list_is_filtered(query: str, number: int, address: str) -> None:
    status, _, listed = asked(address, f"/?{query}")
    assert status == 200
    assert listed.count('<a href="/runs/') == number
    assert f"{number} of 1 run." in listed
    assert "<script>" not in listed


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../outside",
        "/runs/..%2foutside",
        "/runs/%2e%2e%2foutside",
        "/runs/..%5coutside",
        "/runs/..",
        "/runs/.",
        "/runs/%2e%2e",
        "/runs//etc/passwd",
        "/runs/%2fetc%2fpasswd",
        "/runs/demo%00",
        "/outside/run.json",
        "/../outside/run.json",
        "/runs/",
    ],
)
@pytest.mark.promise("paths that lead out of the reports folder", "refused")
def test_no_path_leads_out_of_the_folder(path: str, address: str) -> None:
    status, _, body = asked(address, path)
    assert status in (400, 404)
    assert SECRET not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost", ""])
@pytest.mark.promise("another site's script asks the ui (DNS rebinding)", "refused")
def test_a_name_that_was_rebound_to_us_is_not_answered(host: str, address: str) -> None:
    status, _, body = asked(address, "/", host=host)
    assert status in (400, 421)
    assert "demo" not in body
    port = address.partition(":")[2]
    assert asked(address, "/", host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.promise("requests that would change a run", "refused")
def test_nothing_can_be_changed(method: str, address: str, kept: Path) -> None:
    assert asked(address, f"/runs/{kept.name}", method=method)[0] == 405
    assert (kept / RECORD).is_file()


def test_a_run_under_way_is_followed(tmp_path: Path) -> None:
    folder = a_run_in(tmp_path)
    going = replace(
        DONE,
        state=State.RUNNING,
        results=(),
        judge_version=None,
        finished_at=None,
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
    )
    write_record(folder, going)
    with pages(folder) as served, SampleWriter(folder / SAMPLES) as writer:
        for number in (21, 22):
            writer.append([call(number - 1, at_ms=number, target="python")])
            status, headers, page = asked(served, f"/runs/{folder.name}")
            assert status == 200
            assert f"n = {number}." in page
            assert int(headers["Refresh"]) >= 2
        write_record(folder, replace(DONE, name="over"))
        _, headers, page = asked(served, f"/runs/{folder.name}")
        assert "coldbench run over" in page
        assert "Refresh" not in headers


def test_a_folder_that_is_no_run_is_said(tmp_path: Path) -> None:
    folder = a_run_in(tmp_path)
    (folder / RECORD).write_text("{")
    with pages(folder) as served:
        assert "not readable as a run" in asked(served, "/")[2]
        status, _, body = asked(served, f"/runs/{folder.name}")
        assert status == 422
        assert "not readable as a run" in body


def test_a_port_that_is_taken_is_said(address: str, tmp_path: Path) -> None:
    done = coldbench("ui", "--port", address.partition(":")[2], cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be listened on" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: chromium is not installed")
def test_in_a_browser(address: str, kept: Path) -> None:
    async def drive() -> None:
        async with browser() as tab:
            await tab.open(f"http://{address}/")
            assert await tab.value("document.querySelector('td a').textContent") == kept.name
            await tab.open(f"http://{address}/runs/{kept.name}")
            assert await tab.value("document.querySelectorAll('canvas').length") == 4
            assert tab.faults == []
            assert {url.split("/")[2] for url in tab.requests} == {address}

    asyncio.run(asyncio.wait_for(drive(), 60))


HOSTILE = "</script><script>window.hacked = 1</script>"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: chromium is not installed")
def test_a_comparison_in_a_browser(tmp_path: Path) -> None:
    one = measured(tmp_path / "reports", HOSTILE, {HOSTILE: 100.0, "node": 120.0}, rounds=4)

    async def drive(address: str) -> None:
        async with browser() as tab:
            await tab.open(f"http://{address}/")
            await tab.value("document.querySelector('input[type=checkbox]').click()")
            ticked = await tab.value("new URLSearchParams(new FormData(document.forms[1])).toString()")
            await tab.open(f"http://{address}/compare?{ticked}")
            assert await tab.value("document.querySelectorAll('figure canvas').length") == 3
            assert await tab.value("window.hacked === undefined")
            assert HOSTILE in await tab.value("document.querySelector('h1').textContent")
            assert tab.faults == []
            assert {url.split("/")[2] for url in tab.requests} == {address}

    with pages(one) as served:
        asyncio.run(asyncio.wait_for(drive(served), 60))
