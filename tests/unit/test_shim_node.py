"""The Node shim in one Node process: Lambda's forms of answers, a restored snapshot, the leave to hold."""

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from coldbench.evidence.shim import read_shim
from coldbench.evidence.shims import FILES, FOLDER

SCRIPT = """
import { Shim } from %(shim)s;

const now = Date.now();
const headers = { 'X-Coldbench-Hold-Ms': '300' };
const v2 = { version: '2.0', requestContext: { timeEpoch: now - 250 }, headers };
const own = { statusCode: 201, headers: { 'cache-control': 'max-age=9', 'server-timing': 'db;dur=1' } };
const lists = { statusCode: 200, multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] } };
const shim = new Shim();
const call = (handler, event) => shim.lambda(handler)(event, {});

const said = {
  own: await call(async () => own, v2),
  text: await call((event, context, callback) => callback(null, 'hello'), v2),
  object: await call(async () => ({ a: [1] }), { ...v2, requestContext: { timeEpoch: 1000 } }),
  lists: await call(async () => lists, { requestContext: { elb: {} } }),
  others: [
    await call(async () => [1], null),
    await call(async () => [2], { requestContext: {}, version: '1.0' }),
  ],
  failed: await call((event, context, callback) => callback(new Error('as asked')), v2).catch(String),
  untouched: own.headers,
};
shim.restored();
said.restored = await call(async () => 'hello', v2);
console.log(JSON.stringify(said));
"""


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """What the script says; the owner has not allowed to hold."""
    if shutil.which("node") is None:
        pytest.skip("NOT TESTED: the shim of node: there is no node on this machine")
    script = SCRIPT % {"shim": json.dumps(str(FOLDER / FILES["node"]))}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLDBENCH_")}
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def evidence(answer: dict[str, Any]) -> dict[str, Any]:
    fields = read_shim([answer["headers"]["Server-Timing"]])
    assert fields
    return fields


def test_a_lambda_answer_gets_the_evidence(said: dict[str, Any]) -> None:
    answer = said["own"]
    assert answer["statusCode"] == 201
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Server-Timing"].startswith("db;dur=1, ")
    assert len(answer["headers"]) == 2
    assert evidence(answer)["instance_seq"] == 1
    assert evidence(answer)["queue_ms"] >= 250
    assert said["untouched"] == {"cache-control": "max-age=9", "server-timing": "db;dur=1"}


def test_format_2_makes_an_answer_of_any_value(said: dict[str, Any]) -> None:
    assert (said["text"]["statusCode"], said["text"]["body"]) == (200, "hello")
    assert json.loads(said["object"]["body"]) == {"a": [1]}
    assert "queue_ms" not in evidence(said["object"])  # a stamp of another clock
    assert [evidence(said[name])["instance_seq"] for name in ("text", "object")] == [2, 3]


def test_a_load_balancers_lists_stay_lists(said: dict[str, Any]) -> None:
    headers = said["lists"]["multiValueHeaders"]
    assert headers["Set-Cookie"] == ["a=1", "b=2"]
    assert read_shim(headers["Server-Timing"])


def test_other_events_and_errors_pass_through(said: dict[str, Any]) -> None:
    assert said["others"] == [[1], [2]]
    assert said["failed"] == "Error: as asked"


@pytest.mark.parametrize(
    ("started", "counted"), [("1700000000.%N", False), ("", False), ("1700000000.5", True)]
)
def test_a_start_that_is_no_number_is_none(started: str, counted: bool) -> None:
    if shutil.which("node") is None:
        pytest.skip("NOT TESTED: the shim of node: there is no node on this machine")
    shim = json.dumps(str(FOLDER / FILES["node"]))
    script = f"import {{ shim }} from {shim}; console.log(shim.arrived()()['Server-Timing'])"
    command = ["node", "--input-type=module", "--eval", script]
    environment = os.environ | {"COLDBENCH_PROCESS_STARTED": started}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    fields = read_shim([done.stdout.strip()])
    assert fields
    assert bool(fields.get("init_from_process_start")) is counted
    assert (fields["init_ms"] > 60_000) is counted


def test_nothing_is_held_without_leave(said: dict[str, Any]) -> None:
    assert evidence(said["own"])["exec_ms"] < 300


def test_a_restored_snapshot_is_another_instance_without_an_init(said: dict[str, Any]) -> None:
    before, after = evidence(said["own"]), evidence(said["restored"])
    assert after["instance"] != before["instance"]
    assert after["instance_seq"] == 1
    assert "init_ms" in before
    assert "init_ms" not in after
