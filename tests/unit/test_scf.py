"""Tencent Cloud's answers to InvokeFunction."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.invocation import AnsweredBy
from coldbench.evidence.read import read
from coldbench.evidence.scf import API, read_result

INIT = "Init Report RequestId: 2de250b8 Coldstart: 593ms (InitRuntime: 11ms InitFunction: 582ms) Memory: 4MB"
OLDER = "Init Report RequestId: 2de250b8 InitDuration: 4598ms Duration: 3924ms Memory: 640MB MemUsage: 8MB"
MEASURED = {"request_id": "2de250b8", "exec_ms": 0.533, "billed_ms": 1.0}


def result(**changed: object) -> bytes:
    said = {
        "FunctionRequestId": "2de250b8",
        "Duration": 0.533,
        "BillDuration": 1,
        "Log": "",
        "RetMsg": "hunter2",
    }
    return json.dumps({"Response": {"Result": said | changed, "RequestId": "r"}}).encode()


@pytest.mark.parametrize(
    ("log", "init"),
    [
        ("", {}),
        (None, {}),
        (f"START\n{INIT}\nhello", {"cold_flag": True, "init_ms": 593.0}),
        (OLDER, {"cold_flag": True, "init_ms": 4598.0}),
        (INIT.replace("2de250b8", "another"), {}),  # of a call before, or written by the function
        (f"the function says {INIT}", {}),
    ],
)
def test_a_log_says_of_an_init(log: str | None, init: dict[str, object]) -> None:
    assert read_result(result(Log=log)) == MEASURED | init


@pytest.mark.parametrize("body", [b"", b"[]", b"hello", result(Duration="soon"), result()[:-20]])
def test_another_body_tells_nothing(body: bytes) -> None:
    assert read_result(body) == {}


@given(st.binary() | st.text().map(str.encode) | st.builds(result, Log=st.text(), Duration=st.floats()))
def test_no_body_is_too_strange(body: bytes) -> None:
    read(dict[str, list[str]](), status=200, cold_header=None, instance_header=None, api=API, body_start=body)


@pytest.mark.parametrize(
    ("code", "answered"),
    [
        ("AuthFailure.SignatureFailure", AnsweredBy.UNEXPECTED),
        ("RequestLimitExceeded", AnsweredBy.THROTTLE),
        ("RequestLimitExceeded.GlobalRegionUinLimitExceeded", AnsweredBy.THROTTLE),
    ],
)
def test_an_error_of_the_api_is_not_the_functions(code: str, answered: AnsweredBy) -> None:
    body = json.dumps({"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "r"}}).encode()
    asked = read({}, status=200, cold_header=None, instance_header=None, api=API, body_start=body)
    assert (asked.answered_by, asked.answered_why) == (answered, f"the API's error {code}")
    # A function of another platform may say so, too.
    assert read({}, status=200, cold_header=None, instance_header=None, body_start=body).answered_why is None


def test_neither_result_nor_log_is_kept() -> None:
    for body in (result(), result()[:-20]):
        told = read({}, status=200, cold_header=None, instance_header=None, api=API, body_start=body)
        assert "hunter2" not in str(told)
