"""AWS Lambda's Invoke as documented, on loopback: it checks signatures and has one environment.

The signature is computed again from AWS's description of Signature Version 4, without botocore.
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
from urllib.parse import quote, urlsplit
from uuid import uuid4

from tests.e2e import json_server

KEY_ID, SECRET, TOKEN = (
    "AKIDEXAMPLE0123456789",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "FwoGZXIvYXdzEXAMPLETOKEN==",
)
SECRETS = (KEY_ID, SECRET, TOKEN)
LOGGED = "hunter2-of-the-functions-own-log"
REGION = "eu-west-1"
INIT_S = 0.4
PLACEMENT_S = 0.05
FRESH_S = 300


class Lambda:
    """One function with at most one environment, which is lost after `idle_s` without a call."""

    def __init__(self, idle_s: float, *, proactive: bool) -> None:
        self.idle_s = idle_s
        self.proactive = proactive
        self.endpoint = ""
        self.started = 0  # environments that a call waited for: a busy machine makes more of them
        self.refused: list[str] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self._last_s = -float("inf")
        self._turn = threading.Lock()

    def invoke(self) -> tuple[str, str]:
        """The request's id, and the end of the log."""
        with self._turn:
            cold = time.monotonic() - self._last_s > self.idle_s
            if cold and not self.proactive:
                self.started += 1
                time.sleep(PLACEMENT_S + INIT_S)
            self._last_s = time.monotonic()
        identity = str(uuid4())
        init = f"\tInit Duration: {INIT_S * 1000:.2f} ms" if cold else ""
        return identity, (
            f"START RequestId: {identity} Version: $LATEST\n{LOGGED}\nEND RequestId: {identity}\n"
            f"REPORT RequestId: {identity}\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t"
            f"Max Memory Used: 35 MB{init}\t\n"
        )


@contextmanager
def serve(idle_s: float = 3600, *, proactive: bool = False) -> Iterator[Lambda]:
    """As long as the context lasts."""
    double = Lambda(idle_s, proactive=proactive)

    def answer(path: str, headers: Message, body: bytes) -> tuple[int, dict[str, str], object]:
        wrong = what_is_wrong("POST", path, headers, body)
        if wrong is not None:
            double.refused.append(wrong)
            return 403, {"x-amzn-ErrorType": "InvalidSignatureException"}, {"message": wrong}
        double.paths.append(path)
        double.bodies.append(body)
        identity, log = double.invoke()
        said = {"X-Amz-Executed-Version": "$LATEST", "x-amzn-RequestId": identity}
        if headers.get("X-Amz-Log-Type") == "Tail":
            said["X-Amz-Log-Result"] = base64.b64encode(log.encode()).decode()
        return 200, said, {"hello": "world"}

    with json_server.serve(answer) as double.endpoint:
        yield double


def what_is_wrong(method: str, path: str, headers: Message, body: bytes) -> str | None:
    """Why AWS would refuse the request, or None (docs.aws.amazon.com/IAM/latest/UserGuide,
    "Create a signed AWS API request")."""
    algorithm, _, rest = headers.get("Authorization", "").partition(" ")
    if algorithm != "AWS4-HMAC-SHA256":
        return "not signed"
    said = dict(part.split("=", 1) for part in rest.split(", "))
    key_id, day, region, service, end = said["Credential"].split("/")
    signed = said["SignedHeaders"].split(";")
    date = headers["X-Amz-Date"]
    if (key_id, region, service, end) != (KEY_ID, REGION, "lambda", "aws4_request") or date[:8] != day:
        return f"the scope {said['Credential']}"
    if headers.get("X-Amz-Security-Token") != TOKEN:
        return "the session token"
    if not {"host", "x-amz-date", "x-amz-security-token"} <= set(signed):
        return f"signed are only {signed}"
    at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs((datetime.now(UTC) - at).total_seconds()) > FRESH_S:
        return f"the date {date}"
    parts = urlsplit(path)
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    payload = hashlib.sha256(body).hexdigest()
    # Every service but S3 encodes the path once more.
    request = "\n".join(
        [method, quote(parts.path, safe="/-_.~"), query, lines, said["SignedHeaders"], payload]
    )
    scope = "/".join([day, region, service, end])
    text = "\n".join([algorithm, date, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, service, end):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, text.encode(), "sha256").hexdigest()
    return None if said["Signature"] == expected else "the signature"
