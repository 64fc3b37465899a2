"""What the end of a Lambda log tells, and that nothing else of the log is kept."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.evidence.log_tail import read_log_tail, report_line
from coldbench.evidence.read import read

HEADER = "x-amz-log-result"
_MEASURED = "Duration: 3.53 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 35 MB"
REPORT = f"REPORT RequestId: 8f5\t{_MEASURED}"


def tail(log: str) -> dict[str, list[str]]:
    return {HEADER: [b64encode(log.encode()).decode()]}


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (f"{REPORT}\t\n", {"cold_flag": False}),
        (f"{REPORT}\tInit Duration: 120.05 ms\t\n", {"cold_flag": True, "init_ms": 120.05}),
        (
            f"RESTORE_START Runtime Version: java:11\n{REPORT}\tRestore Duration: 500.1 ms\t"
            "Billed Restore Duration: 100 ms\t\n",
            {"cold_flag": True, "init_ms": 500.1},
        ),
        # An init that failed and was repeated within the call is told by a line of its own.
        (f"INIT_REPORT Init Duration: 9999.8 ms\tPhase: init\tStatus: timeout\n{REPORT}\t\n", {}),
        # With AWS X-Ray the report goes on in a second line.
        (f"{REPORT}\t\nXRAY TraceId: 1-5e34\tSegmentId: 07f\tSampled: true\n", {"cold_flag": False}),
    ],
)
def test_the_report_tells(log: str, expected: dict[str, Any]) -> None:
    measured = {"request_id": "8f5", "exec_ms": 3.53, "billed_ms": 4.0}
    assert read_log_tail(tail(f"START RequestId: 8f5\nEND RequestId: 8f5\n{log}")) == measured | expected


def test_the_report_of_awss_own_emulator() -> None:
    """As aws-lambda-rie of AWS SAM wrote it on 2026-11-23."""
    log = (
        "REPORT RequestId: 6820fb42-aceb-4d32-aaaa-247157127956\tInit Duration: 0.02 ms\t"
        "Duration: 292.69 ms\tBilled Duration: 293 ms\tMemory Size: 3008 MB\tMax Memory Used: 3008 MB\t\n"
    )
    assert read_log_tail(tail(log)) == {
        "request_id": "6820fb42-aceb-4d32-aaaa-247157127956",
        "cold_flag": True,
        "init_ms": 0.02,
        "exec_ms": 292.69,
        "billed_ms": 293.0,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ["no base64!"]},
        {HEADER: [b64encode(b"\xff\xfe").decode()]},
        tail("START RequestId: 8f5\n"),
        tail("REPORT RequestId: 8f5\tBilled Duration: 4 ms\t\n"),
        tail("REPORT RequestId: 8f5\tDuration: nan ms\t\n"),
        {HEADER: tail(REPORT)[HEADER] * 2},
    ],
)
def test_without_a_whole_report_nothing_is_told(headers: dict[str, list[str]]) -> None:
    assert read_log_tail(headers) == {}


def test_a_function_that_prints_a_report_does_not_speak_for_the_platform() -> None:
    log = f"REPORT RequestId: fake\tDuration: 1 ms\tInit Duration: 1 ms\t\n{REPORT}\t\n"
    assert read_log_tail(tail(log))["request_id"] == "8f5"
    assert read_log_tail(tail(log))["cold_flag"] is False


def test_only_the_report_is_kept_of_the_log() -> None:
    headers = tail(f"password: hunter2\n{REPORT}\t\n")
    evidence = read(headers, status=200, cold_header=None, instance_header=None)
    assert evidence.level == 3
    assert evidence.raw == {HEADER: f"{REPORT}\t"}
    silent = read(tail("password: hunter2\n"), status=200, cold_header=None, instance_header=None)
    assert silent.level == 0
    assert "hunter2" not in str(silent.raw)
    assert tail("password: hunter2\n")[HEADER][0] not in str(silent.raw)


FC = "Duration: 16.81 ms, Billed Duration: 17 ms, Memory Size: 128 MB, Max Memory Used: 52.32 MB"


def test_function_compute_tells_the_execution_and_no_init() -> None:
    log = f"FC Invoke Start RequestId: 1-65dd\npassword: hunter2\nFC Invoke End RequestId: 1-65dd\n\n{FC}"
    headers = {"x-fc-log-result": tail(log)[HEADER]}
    assert read_log_tail(headers) == {"exec_ms": 16.81, "billed_ms": 17.0}
    evidence = read(headers, status=200, cold_header=None, instance_header=None)
    assert (evidence.level, evidence.raw) == (3, {"x-fc-log-result": FC})


@given(st.binary() | st.text().map(lambda log: b64encode(f"{REPORT}{log}".encode())))
def test_no_log_can_harm(value: bytes) -> None:
    headers = {HEADER: [value.decode("latin-1")]}
    fields = read_log_tail(headers)
    assert not fields or fields["exec_ms"] >= 0
    assert "\n" not in (report_line(headers) or "")
