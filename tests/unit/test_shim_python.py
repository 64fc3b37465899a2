"""The Python shim in this process: each wrapper, a fork, a restored snapshot, the owner's leave to hold."""

import asyncio
import importlib.util
import json
import os
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.evidence.shim import read_shim
from coldbench.evidence.shims import FILES, FOLDER

V2 = {"version": "2.0", "requestContext": {"timeEpoch": 1_000}, "headers": {"X-Own": "1"}}


def load() -> ModuleType:
    """A copy of its own, as a new process has it."""
    spec = importlib.util.spec_from_file_location("coldbench_shim", FOLDER / FILES["python"])
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


module = pytest.fixture(load)


def said(timing: str) -> dict[str, Any]:
    fields = read_shim([timing])
    assert fields, timing
    return fields


def lambda_says(module: ModuleType, handler: Callable[..., Any], event: object) -> Any:
    return module.shim.lambda_handler(handler)(event, None)


def test_a_lambda_answer_gets_the_evidence(module: ModuleType) -> None:
    event = {**V2, "requestContext": {"timeEpoch": time.time_ns() // 1_000_000 - 250}}
    own = {"statusCode": 201, "headers": {"cache-control": "max-age=9", "server-timing": "db;dur=1"}}
    answer = lambda_says(module, lambda event, context: own, event)
    assert answer["statusCode"] == 201
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Server-Timing"].startswith("db;dur=1, ")
    assert len(answer["headers"]) == 2
    fields = said(answer["headers"]["Server-Timing"])
    assert fields["instance_seq"] == 1
    assert fields["queue_ms"] >= 250
    assert own["headers"] == {"cache-control": "max-age=9", "server-timing": "db;dur=1"}  # nothing of ours


def test_a_stamp_of_another_clock_says_nothing(module: ModuleType) -> None:
    answer = lambda_says(module, lambda event, context: "hello", V2)
    assert answer["body"] == "hello"
    assert "queue_ms" not in said(answer["headers"]["Server-Timing"])


@given(stamp=st.text() | st.floats().map(lambda number: f"t={number}"))
def test_no_stamp_can_harm(stamp: str) -> None:
    ((_, timing), _) = load().shim.arrived(stamp).headers()
    assert said(timing)["instance_seq"] == 1


def test_format_2_makes_an_answer_of_any_value(module: ModuleType) -> None:
    answer = lambda_says(module, lambda event, context: {"a": [1]}, V2)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"a": [1]})
    assert answer["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("event", [None, "text", {"Records": []}, {"version": "1.0", "requestContext": {}}])
def test_other_events_pass_through(module: ModuleType, event: object) -> None:
    assert lambda_says(module, lambda event, context: [event], event) == [event]


def test_a_load_balancers_lists_stay_lists(module: ModuleType) -> None:
    own = {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}
    answer = lambda_says(module, lambda event, context: own, {"requestContext": {"elb": {}}})
    assert answer["multiValueHeaders"]["Set-Cookie"] == ["a=1", "b=2"]
    assert said(answer["multiValueHeaders"]["Server-Timing"][0])


def test_an_asgi_application(module: ModuleType) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"hello"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"x-request-start", f"t={time.time() - 1:.6f}".encode())]}
    asyncio.run(module.shim.asgi(app)(scope, None, send))
    start, body = sent
    headers = dict(start["headers"])
    assert headers[b"x-own"] == b"1"
    assert said(headers[b"server-timing"].decode())["queue_ms"] >= 999
    assert body["body"] == b"hello"


def test_an_asgi_lifespan_is_not_a_request(module: ModuleType) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(module.shim.asgi(app)({"type": "lifespan"}, None, None))
    ((_, timing), _) = module.shim.arrived(None).headers()
    assert seen == ["lifespan"]
    assert said(timing)["instance_seq"] == 1


def test_a_view_as_functions_framework_calls_it(module: ModuleType) -> None:
    server = flask.Flask("test")
    view = module.shim.flask_view(lambda request: ("hello", 201, {"X-Own": "1"}))
    server.add_url_rule("/", view_func=lambda: view(flask.request), endpoint="view")
    answer = server.test_client().get("/")
    assert (answer.status_code, answer.text, answer.headers["X-Own"]) == (201, "hello", "1")
    assert answer.headers.getlist("Cache-Control") == ["no-store"]
    assert said(answer.headers["Server-Timing"])["instance_seq"] == 1


def test_a_forked_worker_is_an_instance_of_its_own(module: ModuleType) -> None:
    def seen() -> dict[str, Any]:
        ((_, timing), _) = module.shim.arrived(None).headers()
        return said(timing)

    before = seen()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, json.dumps(seen()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    forked = json.loads(os.read(reader, 65536))
    os.close(reader)
    os.close(writer)
    after = seen()
    assert (before["instance_seq"], forked["instance_seq"], after["instance_seq"]) == (1, 1, 2)
    assert before["instance"] == after["instance"] != forked["instance"]


def test_a_restored_snapshot_is_another_instance_without_an_init(module: ModuleType) -> None:
    import snapshot_restore_py

    handler = module.shim.lambda_handler(lambda event, context: "hello")
    first = said(handler(V2, None)["headers"]["Server-Timing"])
    restored = snapshot_restore_py.get_after_restore()
    assert restored
    for hook, arguments, named in restored:  # as AWS's runtime client does after a restore
        hook(*arguments, **named)
    again = said(handler(V2, None)["headers"]["Server-Timing"])
    assert again["instance"] != first["instance"]
    assert again["instance_seq"] == 1
    assert "init_ms" in first
    assert "init_ms" not in again
    assert again["instance_age_ms"] < first["instance_age_ms"] + 60_000


@pytest.mark.parametrize(
    ("leave", "until_ms", "for_ms", "held_s"),
    [
        (None, None, "500", 0),
        ("0", None, "500", 0),
        ("1", None, "500", 0.5),
        ("1", None, "3600000", 10),
        ("1", "9e15", None, 10),
        ("1", "1000", "500", 0),  # that instant has passed
        ("1", None, "-5", 0),
        ("1", None, "soon", 0),
        ("1", "nan", None, 0),
        ("1", None, None, 0),
    ],
)
def test_only_the_owner_allows_to_hold(
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    leave: str | None,
    until_ms: str | None,
    for_ms: str | None,
    held_s: float,
) -> None:
    monkeypatch.delenv("COLDBENCH_HOLD", raising=False)
    if leave is not None:
        monkeypatch.setenv("COLDBENCH_HOLD", leave)
    assert module.Shim().hold_s(until_ms, for_ms) == held_s


def test_the_init_counts_from_the_process_where_that_is_said(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDBENCH_PROCESS_STARTED", f"{time.time() - 2:.6f}")
    shim = module.Shim()
    shim.init_ended()
    ((_, timing), _) = shim.arrived(None).headers()
    assert said(timing)["init_from_process_start"] is True
    assert said(timing)["init_ms"] >= 2000


@pytest.mark.parametrize("started", ["1700000000.%N", "", "nan", "inf", "yesterday"])
def test_a_start_that_is_no_number_is_none(monkeypatch: pytest.MonkeyPatch, started: str) -> None:
    monkeypatch.setenv("COLDBENCH_PROCESS_STARTED", started)
    visit = load().shim.arrived(None)
    fields = said(dict(visit.headers())["Server-Timing"])
    assert not fields.get("init_from_process_start")
    assert fields["init_ms"] < 60_000
