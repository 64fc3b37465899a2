"""`tencent:[NAMESPACE/]FUNCTION[:QUALIFIER]`: Tencent Cloud SCF, by its InvokeFunction API.

cloud.tencent.com/document/api/583/58400; the vendor's library signs and finds the credentials (extra
`tencent`).
"""

import os
import re
import time
from collections.abc import Callable
from configparser import Error as ConfigParserError
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec

from coldbench.core.errors import UsageError
from coldbench.core.request import request_fields
from coldbench.core.target import Target, Tc3
from coldbench.targets.api import Api, read_url

_SERVICE, _VERSION = "scf", "2018-04-16"
_NAME = r"[A-Za-z][\w-]*"
_FUNCTION = re.compile(rf"((?P<namespace>{_NAME})/)?(?P<name>{_NAME})(:(?P<qualifier>\$?[\w-]+))?", re.ASCII)
_KEYS = ("region", "endpoint")
_ENDPOINT = "https://scf.tencentcloudapi.com"
# The answer has the function's own in it, and 4 KB of its log; of a larger one nothing is read.
_MOST_ANSWER_BYTES = 65_536
_ALGORITHM = "TC3-HMAC-SHA256"
_SIGNED = ("content-type", "host", "x-tc-action")


def parse_tencent_url(url: str) -> Api:
    """What has to be sent to invoke the function, with the end of its log in the answer.

    `?region=` goes before the environment; `?endpoint=` is for another host. Raises UsageError.
    """
    hint = "write tencent:FUNCTION, tencent:NAMESPACE/FUNCTION; :QUALIFIER may follow"
    named, said = read_url(url, _FUNCTION, _KEYS, what="a function's name", hint=hint)
    region = said.get("region") or os.environ.get("TENCENTCLOUD_REGION", "")
    if not re.fullmatch(r"[a-z0-9-]+", region):
        hint = "add ?region=..., or set TENCENTCLOUD_REGION"
        raise UsageError("nobody says the region", place=url, hint=hint)
    asked = {"Namespace": named["namespace"], "FunctionName": named["name"], "Qualifier": named["qualifier"]}
    return Api(
        name=named["name"],
        platform="tencent_scf",
        endpoint=f"{said.get('endpoint', _ENDPOINT).rstrip('/')}/",
        headers=(("X-TC-Action", "InvokeFunction"), ("X-TC-Version", _VERSION), ("X-TC-Region", region)),
        signing=Tc3(service=_SERVICE),
        body_of=partial(_body_of, {key: value for key, value in asked.items() if value}, url),
        evidence_body_bytes=_MOST_ANSWER_BYTES,
    )


def _body_of(asked: dict[str, str], url: str, event: bytes) -> bytes:
    try:
        text = event.decode()
    except UnicodeDecodeError as error:
        raise UsageError("the event, --data, has to be text", place=url) from error
    return msgspec.json.encode(asked | {"LogType": "Tail"} | ({"Event": text} if text else {}))


def tencent_signer(target: Target, signing: Tc3) -> Callable[[], list[tuple[str, str]]]:
    """The target's fields with a signature of now. Raises UsageError where nobody has credentials.

    cloud.tencent.com/document/api/583/33846 ("Signature Method v3")
    """
    sign = _library()
    fields = request_fields(target)
    named = {name.lower(): value.strip() for name, value in fields if name.lower() in _SIGNED}
    lines = "".join(f"{name}:{named[name].lower()}\n" for name in _SIGNED)
    payload = sha256(target.body).hexdigest()
    request = f"{target.method}\n/\n\n{lines}\n{';'.join(_SIGNED)}\n{payload}"
    digest = sha256(request.encode()).hexdigest()

    def signed() -> list[tuple[str, str]]:
        identity, secret = _credentials(target.url)
        at = int(time.time())
        date = datetime.fromtimestamp(at, UTC).date().isoformat()
        scope = f"{date}/{signing.service}/tc3_request"
        signature = sign(secret, date, signing.service, f"{_ALGORITHM}\n{at}\n{scope}\n{digest}")
        told = f"Credential={identity}/{scope}, SignedHeaders={';'.join(_SIGNED)}, Signature={signature}"
        token = os.environ.get("TENCENTCLOUD_TOKEN")
        return [
            *fields,
            ("X-TC-Timestamp", str(at)),
            *([("X-TC-Token", token)] if token else []),
            ("Authorization", f"{_ALGORITHM} {told}"),
        ]

    _credentials(target.url)  # what is missing is said before anything is sent
    return signed


def _library() -> Callable[[str, str, str, str], str]:
    try:
        from tencentcloud.common.sign import Sign
    except ImportError as error:
        hint = "pip install 'coldbench[tencent]'"
        words = "its signatures need Tencent Cloud's library"
        raise UsageError(words, place="tencent:", hint=hint) from error
    sign: Any = Sign.sign_tc3
    return lambda secret, date, service, text: str(sign(secret, date, service, text))


def _credentials(url: str) -> tuple[str, str]:
    """Id and key: of the environment, else of the file of the vendor's tools."""
    from tencentcloud.common.credential import EnvironmentVariableCredential, ProfileCredential

    try:
        keys = EnvironmentVariableCredential().get_credential() or ProfileCredential().get_credential()
    except ConfigParserError as error:
        raise UsageError(f"its credentials file: {error}", place=url) from error
    if keys is None:
        hint = "TENCENTCLOUD_SECRET_ID with TENCENTCLOUD_SECRET_KEY, or ~/.tencentcloud/credentials"
        raise UsageError("there are no credentials to sign with", place=url, hint=hint)
    return keys.secret_id, keys.secret_key
