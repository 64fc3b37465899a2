"""What OpenWhisk's record of an activation says, the answer to a blocking invocation: level 3.

`annotations` has `initTime` (ms) where the action had to be initialised, "and represents a cold start"; for a
warm one it "is not generated" (docs/annotations.md). `waitTime` is from the controller's receipt of the
request until a container was there. `duration` is of init and run together: the interval that is recorded
begins the init's duration before the run (ContainerProxy.scala, `initRunInterval`).
"""

from typing import Any

import msgspec
from msgspec import Struct

from coldbench.evidence.headers import Headers
from coldbench.evidence.values import identifier, milliseconds

ID_HEADER = "x-openwhisk-activation-id"


class _Annotation(Struct):
    key: str
    value: msgspec.Raw = msgspec.Raw()


class _Activation(Struct, rename="camel"):
    activation_id: str
    duration: float
    annotations: list[_Annotation]


def read_activation(headers: Headers, body: bytes) -> dict[str, Any]:
    """Fields of Evidence by name; none unless the body is the record of the activation that the header names.

    A web action's body is the function's own, whatever it looks like: it does not know its record's id ahead.
    """
    try:
        record = msgspec.json.decode(body, type=_Activation)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    if headers.get(ID_HEADER) != [record.activation_id]:
        return {}
    said = {one.key: bytes(one.value).decode("utf-8", "replace") for one in record.annotations}
    init_ms, wait_ms = (milliseconds(said[key]) if key in said else None for key in ("initTime", "waitTime"))
    fields = {
        "request_id": identifier(record.activation_id),
        "cold_flag": "initTime" in said,
        "init_ms": init_ms,
        "queue_ms": wait_ms,
        "exec_ms": milliseconds(str(record.duration - (init_ms or 0.0))),
    }
    return {name: value for name, value in fields.items() if value is not None}
