"""SCF's InvokeFunction as documented, on loopback: one instance, and it checks signatures.

The signature is computed again from Tencent Cloud's description of TC3-HMAC-SHA256, without its library.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import Message
from uuid import uuid4

from tests.e2e import json_server

IDENTITY = "AKIDEXAMPLEtencentcloud0123"
SECRET = "tEXAMPLEsecretOfTencentCloud01"
TOKEN = "tEXAMPLEtokenOfTencentCloud=="
LOGGED = "hunter2-of-the-functions-own-log"
START_S = 0.4
INIT_MS = 236
FRESH_S = 300


class Scf:
    """One function with at most one instance, which is lost after `idle_s` without a call."""

    def __init__(self, idle_s: float) -> None:
        self.endpoint = ""
        self.refused: list[str] = []
        self.asked: list[dict[str, str]] = []
        self._idle_s = idle_s
        self._last_s = -float("inf")
        self._turn = threading.Lock()

    def answer(self, path: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], object]:
        wrong = what_is_wrong("POST", path, headers, body)
        if wrong is not None:
            self.refused.append(wrong)
            return self._says({"Error": {"Code": wrong, "Message": "no"}})
        asked = json.loads(body)
        if asked["FunctionName"] != "hello":
            return self._says({"Error": {"Code": "ResourceNotFound.FunctionName", "Message": "no"}})
        with self._turn:
            self.asked.append(asked)
            started = time.monotonic() - self._last_s > self._idle_s
            if started:
                time.sleep(START_S)
            self._last_s = time.monotonic()
        identity = str(uuid4())
        init = (
            f"Init Report RequestId: {identity} Coldstart: {INIT_MS}ms (PullCode: 70ms InitRuntime: 11ms)\n"
        )
        log = f"{init if started else ''}START RequestId: {identity}\n{LOGGED}\nEND RequestId: {identity}\n"
        result = {
            "FunctionRequestId": identity,
            "Duration": 0.533,
            "BillDuration": 1,
            "MemUsage": 3_207_168,
            "InvokeResult": 0,
            "RetMsg": '{"hello": "world"}',
            "ErrMsg": "",
            "Log": log,
        }
        return self._says({"Result": result})

    def _says(self, response: dict[str, object]) -> tuple[int, dict[str, str], object]:
        return 200, {}, {"Response": response | {"RequestId": str(uuid4())}}


@contextmanager
def serve(idle_s: float) -> Iterator[Scf]:
    """As long as the context lasts."""
    double = Scf(idle_s)
    with json_server.serve(double.answer) as double.endpoint:
        yield double


def what_is_wrong(method: str, path: str, headers: Message, body: bytes) -> str | None:
    """The code of the API's error, or None (cloud.tencent.com/document/api/583/33846)."""
    algorithm, _, rest = headers.get("Authorization", "").partition(" ")
    if algorithm != "TC3-HMAC-SHA256":
        return "AuthFailure.InvalidAuthorization"
    said = dict(part.split("=", 1) for part in rest.split(", "))
    identity, date, *scope = said["Credential"].split("/")
    if identity != IDENTITY or headers["X-TC-Token"] != TOKEN:
        return "AuthFailure.SecretIdNotFound"
    if (headers["X-TC-Action"], headers["X-TC-Version"]) != ("InvokeFunction", "2018-04-16"):
        return "InvalidAction"
    at = int(headers["X-TC-Timestamp"])
    if abs(time.time() - at) > FRESH_S or datetime.fromtimestamp(at, UTC).date().isoformat() != date:
        return "AuthFailure.SignatureExpire"
    signed = said["SignedHeaders"].split(";")
    if (
        scope != ["scf", "tc3_request"]
        or signed != sorted(signed)
        or not {"content-type", "host"} <= set(signed)
    ):
        return "AuthFailure.SignatureFailure"
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    request = f"{method}\n{path}\n\n{lines}\n{said['SignedHeaders']}\n{payload}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"{algorithm}\n{at}\n{date}/scf/tc3_request\n{digest}"
    key = f"TC3{SECRET}".encode()
    for part in (date, *scope):
        key = hmac.new(key, part.encode(), "sha256").digest()
    expected = hmac.new(key, text.encode(), "sha256").hexdigest()
    return None if said["Signature"] == expected else "AuthFailure.SignatureFailure"
