"""What Tencent Cloud's InvokeFunction answers (scf 2018-04-16): level 3, always with status 200.

`Response.Result` has `Duration` and `BillDuration` in ms and the end of the log; `Response.Error` is the
API's own refusal (cloud.tencent.com/document/api/583/58400). In a log the platform's line

    Init Report RequestId: 2de250b8-... Coldstart: 593ms (InitRuntime: 11ms InitFunction: 582ms) Memory: ...

is there for a cold start only (cloud.tencent.com/document/product/583/9694; `InitDuration` in older ones).
Nobody says that the answer's 4 KB always have it: its absence tells nothing.
"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from coldbench.evidence.values import identifier, milliseconds

API = "tencent_scf"
_INIT = re.compile(
    r"^Init Report RequestId: *(?P<request_id>\S+)\s+(?:Coldstart|InitDuration): *(?P<init_ms>[0-9.]+) *ms",
    re.MULTILINE,
)


class _Result(Struct, rename="pascal"):
    function_request_id: str
    duration: float
    bill_duration: float | None = None
    log: str | None = None


class _Error(Struct, rename="pascal"):
    code: str


class _Response(Struct, rename="pascal"):
    result: _Result | None = None
    error: _Error | None = None


class _Answer(Struct, rename="pascal"):
    response: _Response


def read_result(body: bytes) -> dict[str, Any]:
    """Fields of Evidence by name; none without a result that can be read."""
    result = _response(body).result
    if result is None:
        return {}
    init = _INIT.search(result.log or "")
    ours = init is not None and init["request_id"] == result.function_request_id
    fields = {
        "request_id": identifier(result.function_request_id),
        "exec_ms": milliseconds(str(result.duration)),
        "billed_ms": None if result.bill_duration is None else milliseconds(str(result.bill_duration)),
        "cold_flag": True if ours else None,
        "init_ms": milliseconds(init["init_ms"]) if init is not None and ours else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def refused(body: bytes) -> str | None:
    """The code of the API's own error, None where there is none."""
    error = _response(body).error
    return None if error is None else error.code


def _response(body: bytes) -> _Response:
    try:
        return msgspec.json.decode(body, type=_Answer).response
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Response()
