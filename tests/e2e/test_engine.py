"""The engine as a process, against servers that behave well and badly: no invocation is ever lost."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from coldbench.core.messages import Failed, Started
from tests.e2e.engine_process import EngineRun, run_engine, stop, target
from tests.e2e.raw_server import Visit, ok, raw_server


async def hello(visit: Visit) -> bytes:
    return ok(b"hello", b"Server-Timing: exec;dur=1")


def burst(size: int, repeat: int = 1) -> str:
    return f'repeat = {repeat}\n[[stage]]\nkind = "burst"\nsize = {size}\n'


def errors(run: EngineRun) -> Counter[str | None]:
    return Counter(fact.error for fact in run.facts)


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses: bound, never listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_burst_is_sent_once_each_with_every_instant() -> None:
    with raw_server(hello) as server:
        run = run_engine(burst(50, repeat=2), [target(server.url)])
    assert run.code == 0, run.words
    assert sorted(fact.seq for fact in run.facts) == list(range(100))
    ids = Counter(line for v in server.visits for line in v.head.split(b"\r\n") if b"Coldbench-Id" in line)
    assert ids == Counter(b"X-Coldbench-Id: testrun-%d" % seq for seq in range(100))
    for fact in run.facts:
        assert fact.status == 200
        assert fact.body_bytes == 5
        assert b"exec;dur=1" in fact.head
        assert fact.intended_ns <= fact.started_ns <= fact.sent_ns <= fact.first_byte_ns <= fact.end_ns
    assert run.finished.intended == 100
    assert not run.finished.interrupted


def test_connections_are_opened_before_a_burst_and_kept_for_the_next() -> None:
    with raw_server(hello) as server:
        run = run_engine(burst(20, repeat=2), [target(server.url)])
        assert server.connections == 21  # one to see that the target can be reached at all
    first = [fact for fact in run.facts if fact.phase == 0]
    second = [fact for fact in run.facts if fact.phase == 1]
    assert all(not fact.reused and fact.connect_ns is not None for fact in first)
    assert all(fact.reused and fact.connect_ns is None for fact in second)
    # opened before: the handshake is no part of the invocation
    assert all(fact.sent_ns - fact.started_ns < fact.connect_ns for fact in first if fact.connect_ns)


def test_an_idle_stage_closes_the_connections() -> None:
    profile = (
        burst(5) + '[[stage]]\nkind = "idle"\nduration = "100ms"\n' + "[[stage]]\nkind='burst'\nsize=5\n"
    )
    with raw_server(hello) as server:
        run = run_engine(profile, [target(server.url)])
        assert server.connections == 11
    assert not any(fact.reused for fact in run.facts)


def test_fresh_connections_dial_within_the_invocation() -> None:
    with raw_server(hello) as server:
        run = run_engine(burst(10, repeat=2), [target(server.url, fresh_connections=True)])
        assert server.connections == 21
    for fact in run.facts:
        assert not fact.reused
        assert fact.sent_ns - fact.started_ns >= fact.connect_ns


@pytest.mark.slow
def test_two_thousand_connections_stay_alive() -> None:
    with raw_server(hello) as server:
        run = run_engine(burst(2000, repeat=2), [target(server.url)])
        assert server.connections == 2001
    assert errors(run) == {None: 4000}


def test_an_open_rate_keeps_its_schedule_while_the_target_stalls() -> None:
    async def stalling(visit: Visit) -> bytes:
        await asyncio.sleep(0.3 if len(server.visits) % 20 == 5 else 0)
        return ok()

    profile = '[[stage]]\nkind = "rate"\nrate = 100\nduration = "1s"\n'
    with raw_server(stalling) as server:
        run = run_engine(profile, [target(server.url)])
    assert len(run.facts) == 100
    gaps = sorted(fact.intended_ns for fact in run.facts)
    assert {round((b - a) / 1e6) for a, b in pairwise(gaps)} == {10}


def test_closed_loop_users_wait_for_each_other_and_are_counted() -> None:
    async def slow(visit: Visit) -> bytes:
        await asyncio.sleep(0.05)
        return ok()

    profile = '[[stage]]\nkind = "users"\nusers = 3\nduration = "1s"\n'
    with raw_server(slow) as server:
        run = run_engine(profile, [target(server.url)])
    assert run.finished.intended == len(run.facts) == len(server.visits)
    ends = sorted([(f.started_ns, 1) for f in run.facts] + [(f.end_ns, -1) for f in run.facts])
    in_flight = highest = 0
    for _, change in ends:
        in_flight += change
        highest = max(highest, in_flight)
    assert highest == 3


def test_several_targets_are_interleaved() -> None:
    with raw_server(hello) as one, raw_server(hello) as other:
        targets = [target(one.url, name="one"), target(other.url, name="other")]
        run = run_engine(burst(10, repeat=8), targets)
    order = [fact.target for fact in sorted(run.facts, key=lambda fact: fact.started_ns)]
    rounds = [order[n : n + 20] for n in range(0, 160, 20)]
    assert all(set(its[:10]) != set(its[10:]) and len(set(its[:10])) == 1 for its in rounds)
    assert len({its[0] for its in rounds}) == 2  # not always the same one first


def test_a_server_that_closes_after_each_response_is_no_error() -> None:
    with raw_server(hello, close_after=1) as server:
        run = run_engine(burst(20, repeat=3), [target(server.url)])
    assert set(errors(run)) <= {None, "stale_reuse"}
    assert len(run.facts) == 60
    # and nothing was ever sent twice
    assert len(server.visits) == errors(run)[None]


def test_a_reused_connection_that_closes_unanswered_is_stale_and_never_retried() -> None:
    async def once(visit: Visit) -> bytes | None:
        return ok() if visit.number == 1 else None

    with raw_server(once) as server:
        run = run_engine(burst(10, repeat=2), [target(server.url)])
        assert len(server.visits) == 20
    assert errors(run) == {None: 10, "stale_reuse": 10}


def test_a_first_request_that_is_never_answered_is_closed_not_stale() -> None:
    async def never(visit: Visit) -> None:
        return None

    with raw_server(never) as server:
        run = run_engine(burst(3), [target(server.url)])
    assert errors(run) == {"closed": 3}


def test_a_redirect_is_reported_and_not_followed() -> None:
    async def redirect(visit: Visit) -> bytes:
        return b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"

    with raw_server(redirect) as server:
        run = run_engine(burst(3), [target(server.url)])
        assert len(server.visits) == 3
    assert {fact.status for fact in run.facts} == {302}


def test_a_timeout_is_an_error_and_the_run_goes_on() -> None:
    async def silent_once(visit: Visit) -> bytes:
        if len(server.visits) == 2:
            await asyncio.sleep(30)
        return ok()

    with raw_server(silent_once) as server:
        run = run_engine(burst(4, repeat=2), [target(server.url, timeout_ns=300_000_000)])
    assert errors(run) == {None: 7, "timeout": 1}
    (late,) = [fact for fact in run.facts if fact.error]
    assert late.end_ns - late.started_ns >= 300_000_000
    assert late.first_byte_ns is None


def test_what_is_in_flight_at_a_stop_is_recorded_as_unfinished() -> None:
    async def silent(visit: Visit) -> bytes:
        if len(server.visits) == 10:
            seen.set()
        await asyncio.sleep(60)
        return ok()

    seen = threading.Event()

    def act(process: subprocess.Popen[bytes]) -> None:
        assert seen.wait(30)
        stop(process)

    with raw_server(silent) as server:
        run = run_engine(burst(10, repeat=3), [target(server.url)], act=act)
    assert run.finished.interrupted
    assert run.finished.intended == 30
    assert len(run.facts) == 10
    assert all(fact.end_ns is None and fact.error is None and fact.sent_ns for fact in run.facts)


@pytest.mark.parametrize(
    "profile",
    [
        '[[stage]]\nkind = "users"\nusers = 10\nduration = "60s"\n',
        '[[stage]]\nkind = "rate"\nrate = 100\nduration = "60s"\n',
    ],
)
def test_a_stop_waits_for_no_answer_that_does_not_come(profile: str) -> None:
    seen = threading.Event()

    async def silent(visit: Visit) -> bytes:
        if len(server.visits) == 10:
            seen.set()
        await asyncio.sleep(60)
        return ok()

    def act(process: subprocess.Popen[bytes]) -> None:
        assert seen.wait(30)
        stop(process)

    with raw_server(silent) as server:
        run = run_engine(profile, [target(server.url)], act=act, drain_s=60)
    assert run.finished.interrupted
    assert len(run.facts) >= 10
    assert all(fact.end_ns is None for fact in run.facts)


@pytest.mark.promise("a host's first address is dead", "the next one is used")
def test_a_host_with_a_dead_first_address_is_reached_by_the_next() -> None:
    with raw_server(hello) as server:
        # localhost is ::1 first where the system has IPv6; the server listens on 127.0.0.1 alone
        run = run_engine(burst(5), [target(f"http://localhost:{server.port}/")])
    assert errors(run) == {None: 5}


@pytest.mark.slow
def test_fresh_connections_leave_nothing_behind() -> None:
    def descriptors_and_memory(process: subprocess.Popen[bytes]) -> None:
        for mark, count in ((first, 1000), (last, 7000)):
            while len(server.visits) < count:
                threading.Event().wait(0.02)
            status = Path(f"/proc/{process.pid}/status").read_text()
            mark.append(int(status.split("VmRSS:")[1].split()[0]))
            mark.append(len(os.listdir(f"/proc/{process.pid}/fd")))
        stop(process)

    first: list[int] = []
    last: list[int] = []
    profile = '[[stage]]\nkind = "users"\nusers = 10\nduration = "60s"\n'
    with raw_server(hello) as server:
        run_engine(profile, [target(server.url, fresh_connections=True)], act=descriptors_and_memory)
    assert last[0] - first[0] < 3000  # KiB, for 6,000 connections
    assert last[1] - first[1] < 30


@pytest.mark.promise("the command dies without a word", "the engine ends by itself")
def test_the_end_of_input_means_the_cli_is_gone() -> None:
    async def silent(visit: Visit) -> bytes:
        await asyncio.sleep(60)
        return ok()

    def act(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        process.stdin.close()

    with raw_server(silent) as server:
        run = run_engine(burst(10), [target(server.url)], act=act)
    assert run.code == 0
    assert run.finished.interrupted


def test_nothing_listening_is_seen_before_anything_is_sent(dead_port: int) -> None:
    run = run_engine(burst(10, repeat=3), [target(f"http://127.0.0.1:{dead_port}/")])
    started = next(message for message in run.messages if isinstance(message, Started))
    assert started.unreachable == {"f": "refused"}
    assert run.facts == []
    assert run.finished.intended == 30


def test_one_dead_target_of_two_is_tried_as_planned(dead_port: int) -> None:
    with raw_server(hello) as server:
        alive = target(server.url, name="alive")
        dead = target(f"http://127.0.0.1:{dead_port}/", name="dead")
        run = run_engine(burst(5), [alive, dead])
    assert errors(run) == {None: 5, "refused": 5}


@pytest.mark.promise("DNS knows no such host", "the error `dns`, and the run goes on")
def test_an_unknown_host_is_a_dns_error() -> None:
    run = run_engine(burst(3), [target("http://nowhere.invalid/")])
    started = next(message for message in run.messages if isinstance(message, Started))
    assert started.unreachable == {"f": "dns"}


def test_resolve_overrides_dns() -> None:
    with raw_server(hello) as server:
        there = target(
            f"http://nowhere.invalid:{server.port}/",
            resolve={f"nowhere.invalid:{server.port}": "127.0.0.1"},
        )
        run = run_engine(burst(3), [there])
        assert b"Host: nowhere.invalid:" in server.visits[-1].head
    assert errors(run) == {None: 3}


def test_tls_is_verified_unless_told_otherwise() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(hello, tls=context) as server:
        strict = run_engine(burst(5), [target(server.url)])
        lax = run_engine(burst(5, repeat=2), [target(server.url, verify_tls=False)])
    started = next(message for message in strict.messages if isinstance(message, Started))
    assert started.unreachable == {"f": "tls"}
    assert errors(lax) == {None: 10}
    assert all(fact.tls_ns for fact in lax.facts if not fact.reused)
    assert not any(fact.tls_ns for fact in lax.facts if fact.reused)


def test_the_body_and_headers_go_out_as_given() -> None:
    with raw_server(hello) as server:
        posting = target(
            server.url + "todos?x=1",
            method="POST",
            body=b'{"a": 1}',
            headers=[["X-Mine", "yes"], ["Host", "h"]],
        )
        run_engine(burst(2), [posting])
        visit = server.visits[-1]
    assert visit.head.startswith(b"POST /todos?x=1 HTTP/1.1\r\n")
    assert b"\r\nX-Mine: yes\r\n" in visit.head
    assert b"\r\nHost: h\r\n" in visit.head
    assert visit.head.count(b"Host:") == 1
    assert visit.body == b'{"a": 1}'


def test_a_fault_of_the_engine_is_said() -> None:
    run = run_engine(burst(2), [target("ftp://127.0.0.1/")])
    assert run.code == 1
    assert any(isinstance(message, Failed) for message in run.messages)


@pytest.mark.promise("the engine is killed", "what it had shipped is kept")
def test_a_killed_engine_keeps_what_it_had_shipped() -> None:
    enough = threading.Event()

    async def counting(visit: Visit) -> bytes:
        if len(server.visits) == 200:
            enough.set()
        return ok()

    def act(process: subprocess.Popen[bytes]) -> None:
        assert enough.wait(30)
        process.send_signal(signal.SIGKILL)

    profile = '[[stage]]\nkind = "rate"\nrate = 300\nduration = "20s"\n'
    with raw_server(counting) as server:
        run = run_engine(profile, [target(server.url)], act=act)
    assert run.code == -signal.SIGKILL
    assert len(run.facts) >= 100


def test_a_stop_that_comes_with_the_order_is_heard() -> None:
    profile = '[[stage]]\nkind = "idle"\nduration = "1h"\n[[stage]]\nkind = "burst"\nsize = 3\n'
    with raw_server(hello) as server:
        run = run_engine(profile, [target(server.url)], act=stop)
    assert run.finished.interrupted
    assert run.finished.intended == 3
    assert run.facts == []


def test_a_user_who_thinks_longer_than_the_stage_does_not_prolong_it() -> None:
    users = '[[stage]]\nkind = "users"\nusers = 2\nduration = "200ms"\nthink = "1h"\n'
    profile = users + '[[stage]]\nkind = "burst"\nsize = 1\n'
    with raw_server(hello) as server:
        run = run_engine(profile, [target(server.url)])
    assert Counter(fact.phase for fact in run.facts) == {0: 2, 1: 1}
    assert next(fact.intended_ns for fact in run.facts if fact.phase == 1) >= 200e6


def test_a_connection_whose_request_was_answered_before_it_was_sent_is_not_used_again() -> None:
    heads: list[bytes] = []

    def refuse_unread(listener: socket.socket) -> None:
        """Answers each connection's first request by its head alone, and reads no further."""
        kept = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break  # the test has ended
            kept.append(connection)
            head = connection.recv(4096, socket.MSG_PEEK)
            if head:
                heads.append(connection.recv(head.index(b"\r\n\r\n") + 4))
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        for connection in kept:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=refuse_unread, args=(listener,))
        serving.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        posting = target(url, method="POST", body=bytes(32 << 20), timeout_ns=20_000_000_000)
        run = run_engine(burst(1, repeat=2), [posting])
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()
    assert [fact.status for fact in run.facts] == [413, 413]
    assert not any(fact.reused for fact in run.facts)


def test_only_connections_that_opened_are_counted(dead_port: int) -> None:
    run = run_engine(burst(3), [target(f"http://127.0.0.1:{dead_port}/")])
    assert run.finished.connections_opened == 0
    with raw_server(hello) as server:
        assert run_engine(burst(3), [target(server.url)]).finished.connections_opened == 4
