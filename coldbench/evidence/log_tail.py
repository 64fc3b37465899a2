"""What the end of a function's log says of the call: level 3, asked for by an authenticated platform API.

    REPORT RequestId: <uuid>\\tDuration: 3.53 ms\\tBilled Duration: 4 ms\\tMemory Size: 128 MB\\t
    Max Memory Used: 35 MB\\tInit Duration: 120.05 ms

AWS Lambda sends the last 4 KB in base64 (API_Invoke, X-Amz-Log-Result). "Init Duration" is there for the
first request served only (lambda/latest/dg/monitoring-cloudwatchlogs.html); an environment restored from a
snapshot has "Restore Duration" in its place (snapstart-monitoring.html).
"""

import re
from base64 import b64decode
from typing import Any

from coldbench.evidence.headers import Headers
from coldbench.evidence.values import identifier, milliseconds

HEADER = "x-amz-log-result"
_LONGEST = 16_384

_REPORT = re.compile(r"^REPORT RequestId: (\S+)\t(.*)$", re.MULTILINE)
_MEASURE = re.compile(r"([A-Z][A-Za-z ]*): ([0-9.]+) ms(?=\t|\s*$)")
# An init that is told by other lines than the report: it was repeated, or it failed.
_TOLD_ELSEWHERE = re.compile(r"^(INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT) ", re.MULTILINE)


def report_line(headers: Headers) -> str | None:
    """The last REPORT line of the log's end, and nothing else of the log: it is the function's."""
    found = list(_REPORT.finditer(_log(headers)))
    return found[-1][0] if found else None


def read_log_tail(headers: Headers) -> dict[str, Any]:
    """Fields of Evidence by name; none without a report that can be read.

    The flag is False only where the report is whole, says of no init, and no line beside it does.
    """
    log = _log(headers)
    found = list(_REPORT.finditer(log))
    if not found:
        return {}
    request_id, measured = found[-1].groups()
    said = {name: milliseconds(value) for name, value in _MEASURE.findall(measured)}
    if said.get("Duration") is None:
        return {}
    init_ms = said.get("Init Duration", said.get("Restore Duration"))
    fields = {
        "request_id": identifier(request_id),
        "exec_ms": said["Duration"],
        "billed_ms": said.get("Billed Duration"),
        "init_ms": init_ms,
        "cold_flag": True if init_ms is not None else None if _TOLD_ELSEWHERE.search(log) else False,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _log(headers: Headers) -> str:
    values = headers.get(HEADER, ())
    if len(values) != 1:
        return ""
    try:
        return b64decode(values[0][:_LONGEST], validate=True).decode("utf-8", "replace")
    except ValueError:  # binascii.Error is one
        return ""
