"""FunctionGraph's synchronous invocation as documented, on loopback: one instance; it checks signatures.

The signature is computed again from Huawei Cloud's description of SDK-HMAC-SHA256, without its library.
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
from urllib.parse import quote, urlsplit
from uuid import uuid4

from tests.e2e import json_server

KEY = "HUAWEIEXAMPLEACCESSKEY"
SECRET = "hEXAMPLEsecretOfHuaweiCloud012"
TOKEN = "gQpjbi1FXAMPLEtoken=="
PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
START_S = 0.4
FRESH_S = 900
_SIGNED = {"host", "x-project-id", "x-sdk-date", "x-security-token"}


class FunctionGraph:
    """One function with at most one instance, which is lost after `idle_s` without a call."""

    def __init__(self, idle_s: float) -> None:
        self.endpoint = ""
        self.refused: list[str] = []
        self.paths: list[str] = []
        self._idle_s = idle_s
        self._last_s = -float("inf")
        self._turn = threading.Lock()

    def answer(self, path: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], object]:
        wrong = what_is_wrong("POST", path, headers, body)
        if wrong is not None:
            self.refused.append(wrong)
            return 401, {}, {"error_code": "APIGW.0301", "error_msg": wrong}
        with self._turn:
            self.paths.append(path)
            if time.monotonic() - self._last_s > self._idle_s:
                time.sleep(START_S)
            self._last_s = time.monotonic()
        summary = {"duration": 1.913, "billingDuration": 2, "memorySize": 128, "memoryUsed": 41.51171875}
        said = {
            "X-Cff-Request-Id": str(uuid4()),
            "X-Cff-Invoke-Summary": json.dumps(summary),
            "X-Func-Err-Code": "0",
            "X-Is-Func-Err": "false",
        }
        return 200, said, {"hello": "world"}


@contextmanager
def serve(idle_s: float) -> Iterator[FunctionGraph]:
    """As long as the context lasts."""
    double = FunctionGraph(idle_s)
    with json_server.serve(double.answer) as double.endpoint:
        yield double


def what_is_wrong(method: str, path: str, headers: Message, body: bytes) -> str | None:
    """Why the platform would refuse the request, or None
    (support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html)."""
    algorithm, _, rest = headers.get("Authorization", "").partition(" ")
    if algorithm != "SDK-HMAC-SHA256":
        return "no signature"
    said = dict(part.split("=", 1) for part in rest.split(", "))
    signed = said["SignedHeaders"].split(";")
    if said["Access"] != KEY or headers["X-Security-Token"] != TOKEN or headers["X-Project-Id"] != PROJECT:
        return "not the caller's key, token or project"
    due = _SIGNED | ({"content-type"} if "Content-Type" in headers else set())
    if signed != sorted(due):
        return f"signed are {signed}"
    at = datetime.strptime(headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs((datetime.now(UTC) - at).total_seconds()) > FRESH_S:
        return "the signature expired"
    parts = urlsplit(path)
    uri = "/".join(quote(segment, safe="~") for segment in parts.path.split("/")) + "/"
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    request = "\n".join([method, uri, parts.query, lines, said["SignedHeaders"], payload])
    text = f"{algorithm}\n{headers['X-Sdk-Date']}\n{hashlib.sha256(request.encode()).hexdigest()}"
    expected = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
    return None if said["Signature"] == expected else "the signature does not match"
