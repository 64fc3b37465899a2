"""What the end of a function's log says of the call: level 3, asked for by an authenticated platform API.

AWS Lambda sends the last 4 KB in base64 (API_Invoke, X-Amz-Log-Result):

    REPORT RequestId: <uuid>\\tDuration: 3.53 ms\\tBilled Duration: 4 ms\\tMemory Size: 128 MB\\t
    Max Memory Used: 35 MB\\tInit Duration: 120.05 ms

"Init Duration" is there for the first request served only (lambda/latest/dg/monitoring-cloudwatchlogs.html);
an environment restored from a snapshot has "Restore Duration" in its place (snapstart-monitoring.html).

Alibaba Cloud Function Compute likewise (X-Fc-Log-Result), in its last line and without an init:

    Duration: 16.81 ms, Billed Duration: 17 ms, Memory Size: 128 MB, Max Memory Used: 52.32 MB
"""

import re
from base64 import b64decode
from typing import Any

from coldbench.evidence.headers import Headers
from coldbench.evidence.values import identifier, milliseconds

_LAMBDA, _FC = "x-amz-log-result", "x-fc-log-result"
HEADERS = (_LAMBDA, _FC)
_LONGEST = 16_384

_REPORT = {
    _LAMBDA: re.compile(r"^REPORT RequestId: (?P<request_id>\S+)\t(?P<measured>.*)$", re.MULTILINE),
    _FC: re.compile(r"^(?P<measured>Duration: [0-9.]+ ms, Billed Duration: .*)$", re.MULTILINE),
}
_MEASURE = re.compile(r"([A-Z][A-Za-z ]*): ([0-9.]+) ms(?=[\t,]|\s*$)")
# An init that is told by other lines than the report: it was repeated, or it failed.
_TOLD_ELSEWHERE = re.compile(r"^(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT) ", re.MULTILINE)


def report_line(headers: Headers) -> str | None:
    """The last report in the log's end, and nothing else of the log: that is the function's."""
    found = _last_report(headers)
    return None if found is None else found[0]


def read_log_tail(headers: Headers) -> dict[str, Any]:
    """Fields of Evidence by name; none without a report that can be read.

    The flag is False only where the report is whole, could say of an init and does not, and no line beside it
    does.
    """
    found = _last_report(headers)
    if found is None:
        return {}
    said = {name: milliseconds(value) for name, value in _MEASURE.findall(found["measured"])}
    if said.get("Duration") is None:
        return {}
    fields = {"exec_ms": said["Duration"], "billed_ms": said.get("Billed Duration")}
    if _LAMBDA in headers:
        fields |= _of_lambda(found, said)
    return {name: value for name, value in fields.items() if value is not None}


def _of_lambda(found: re.Match[str], said: dict[str, float | None]) -> dict[str, Any]:
    init_ms = said.get("Init Duration", said.get("Restore Duration"))
    told_elsewhere = _TOLD_ELSEWHERE.search(found.string) is not None
    return {
        "request_id": identifier(found["request_id"]),
        "init_ms": init_ms,
        "cold_flag": True if init_ms is not None else None if told_elsewhere else False,
    }


def _last_report(headers: Headers) -> re.Match[str] | None:
    for name in HEADERS:
        if name in headers:
            found = list(_REPORT[name].finditer(_log(headers[name])))
            return found[-1] if found else None
    return None


def _log(values: list[str]) -> str:
    if len(values) != 1:
        return ""
    try:
        return b64decode(values[0][:_LONGEST], validate=True).decode("utf-8", "replace")
    except ValueError:  # binascii.Error is one
        return ""
