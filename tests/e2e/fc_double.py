"""Function Compute's InvokeFunction, 2.0 and 3.0, on loopback: it checks signatures and has one instance.

The signature is computed again from Alibaba Cloud's description of ACS3-HMAC-SHA256, without its library.
"""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import Message
from urllib.parse import urlsplit
from uuid import uuid4

from tests.e2e import json_server

KEY_ID = "LTAI5tEXAMPLEKEYID"
SECRET = "kEXAMPLEsecretOfAlibabaCloud01"
TOKEN = "CAISEXAMPLEstsToken=="
LOGGED = "hunter2-of-the-functions-own-log"
START_S = 0.4
FRESH_S = 900
VERSION_OF = {"2.0": "2021-04-06", "3.0": "2023-03-30"}


class FunctionCompute:
    """One function with at most one instance, which is lost after `idle_s` without a call."""

    def __init__(self, idle_s: float) -> None:
        self.endpoint = ""
        self.refused: list[str] = []
        self.paths: list[str] = []
        self._idle_s = idle_s
        self._nonces: set[str] = set()
        self._last_s = -float("inf")
        self._instance = ""
        self._turn = threading.Lock()

    def answer(self, path: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], object]:
        with self._turn:
            wrong = what_is_wrong("POST", path, headers, body, self._nonces)
            if wrong is not None:
                self.refused.append(wrong)
                return 403, {"X-Fc-Request-Id": f"1-{uuid4()}"}, {"Code": wrong}
            self._nonces.add(headers["x-acs-signature-nonce"])
            self.paths.append(path)
            if time.monotonic() - self._last_s > self._idle_s:
                time.sleep(START_S)
                self._instance = f"c-{uuid4()}"
            self._last_s = time.monotonic()
            instance = self._instance
        identity = f"1-{uuid4()}"
        log = (
            f"FC Invoke Start RequestId: {identity}\n{LOGGED}\nFC Invoke End RequestId: {identity}\n\n"
            "Duration: 1.23 ms, Billed Duration: 2 ms, Memory Size: 128 MB, Max Memory Used: 8.47 MB"
        )
        said = {"X-Fc-Request-Id": identity, "X-Fc-Instance-Id": instance}
        if VERSION_OF["2.0"] in path:
            # Rounded up, and with what 3.0 left out.
            said |= {"X-Fc-Invocation-Duration": "2", "X-Fc-Code-Checksum": "12539722363213158541"}
        if headers.get("X-Fc-Log-Type") == "Tail":
            said["X-Fc-Log-Result"] = base64.b64encode(log.encode()).decode()
        return 200, said, {"hello": "world"}


@contextmanager
def serve(idle_s: float) -> Iterator[FunctionCompute]:
    """As long as the context lasts."""
    double = FunctionCompute(idle_s)
    with json_server.serve(double.answer) as double.endpoint:
        yield double


def what_is_wrong(method: str, path: str, headers: Message, body: bytes, seen: set[str]) -> str | None:
    """Why the platform would refuse the request, or None
    (help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature)."""
    algorithm, _, rest = headers.get("Authorization", "").partition(" ")
    if algorithm != "ACS3-HMAC-SHA256":
        return "MissingAuthorization"
    said = dict(part.split("=", 1) for part in rest.split(","))
    signed = said["SignedHeaders"].split(";")
    due = {name.lower() for name in headers if name.lower().startswith("x-acs-")} | {"host"}
    due |= {"content-type"} & {name.lower() for name in headers}
    if said["Credential"] != KEY_ID or headers["x-acs-security-token"] != TOKEN:
        return "InvalidAccessKeyId"
    if set(signed) != due or signed != sorted(signed):
        return f"signed are {signed}"
    version = VERSION_OF["2.0" if "/services/" in path else "3.0"]
    if (headers["x-acs-action"], headers["x-acs-version"]) != ("InvokeFunction", version):
        return "InvalidAction"
    if not path.startswith(f"/{version}/"):
        return "InvalidVersion"
    if headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
        return "InvalidBody"
    at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if abs((datetime.now(UTC) - at).total_seconds()) > FRESH_S:
        return "InvalidTimeStamp.Expired"
    if headers["x-acs-signature-nonce"] in seen:
        return "SignatureNonceUsed"
    parts = urlsplit(path)
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in signed)
    payload = headers["x-acs-content-sha256"]
    request = "\n".join([method, parts.path, query, lines, said["SignedHeaders"], payload])
    text = f"{algorithm}\n{hashlib.sha256(request.encode()).hexdigest()}"
    expected = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
    return None if said["Signature"] == expected else "SignatureDoesNotMatch"
