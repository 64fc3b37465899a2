"""`fc:[SERVICE/]FUNCTION[:QUALIFIER]`: Alibaba Cloud Function Compute, by its InvokeFunction API.

Version 2.0 has services, 3.0 has none. Path, version and headers as the vendor's clients have them
(alibabacloud_fc_open20210406 and alibabacloud_fc20230330, `invoke_function`); its library signs and finds the
credentials (extra `aliyun`).
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from coldbench.core.errors import UsageError
from coldbench.core.request import request_fields
from coldbench.core.target import Acs3, Target
from coldbench.targets.api import Api, read_url

_ALGORITHM = "ACS3-HMAC-SHA256"
_FC2, _FC3 = "2021-04-06", "2023-03-30"
_NAME = r"[A-Za-z_][\w-]*"
_FUNCTION = re.compile(rf"((?P<service>{_NAME})/)?(?P<name>{_NAME})(:(?P<qualifier>[\w-]+))?", re.ASCII)
# key of the URL -> where it is looked for otherwise
_KEYS = {
    "region": ("FC_REGION", "ALIBABA_CLOUD_REGION_ID"),
    "account": ("FC_ACCOUNT_ID", "ALIBABA_CLOUD_ACCOUNT_ID"),
}


def parse_fc_url(url: str) -> Api:
    """What has to be sent to invoke the function, with the end of its log in the answer.

    `?region=` and `?account=`, or `?endpoint=`, go before the environment. Raises UsageError.
    """
    hint = "write fc:FUNCTION, or fc:SERVICE/FUNCTION for version 2.0; :QUALIFIER may follow"
    named, said = read_url(url, _FUNCTION, (*_KEYS, "endpoint"), what="a function's name", hint=hint)
    base = said.get("endpoint")
    if base is None:
        base = f"https://{_told('account', said, url)}.{_told('region', said, url)}.fc.aliyuncs.com"
    version, platform, service = _FC3, "aliyun_fc3", ""
    if named["service"]:
        version, platform, service = _FC2, "aliyun_fc2", f"services/{named['service']}/"
    qualifier = f"?qualifier={named['qualifier']}" if named["qualifier"] else ""
    return Api(
        name=named["name"],
        platform=platform,
        endpoint=f"{base.rstrip('/')}/{version}/{service}functions/{named['name']}/invocations{qualifier}",
        headers=(("X-Fc-Invocation-Type", "Sync"), ("X-Fc-Log-Type", "Tail")),
        signing=Acs3(action="InvokeFunction", version=version),
    )


def acs_signer(target: Target, signing: Acs3) -> Callable[[], list[tuple[str, str]]]:
    """The target's fields with a signature of now. Raises UsageError where nobody has credentials.

    help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature
    """
    credentials, sign = _library()
    parts = urlsplit(target.endpoint)
    payload = sha256(target.body).hexdigest()
    fields = request_fields(target)
    # All of these and of x-acs-* have to be signed; the rest of what is sent is not.
    named = {name.lower(): value for name, value in fields if name.lower() in ("host", "content-type")}

    def signed() -> list[tuple[str, str]]:
        keys = credentials()
        headers = {
            **named,
            "x-acs-action": signing.action,
            "x-acs-version": signing.version,
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid4().hex,
            "x-acs-content-sha256": payload,
        }
        if keys.security_token:
            headers["x-acs-security-token"] = keys.security_token
        request = SimpleNamespace(
            method=target.method, pathname=parts.path, query=dict(parse_qsl(parts.query)), headers=headers
        )
        authorization = sign(request, _ALGORITHM, payload, keys.access_key_id, keys.access_key_secret)
        added = [(name, value) for name, value in headers.items() if name not in named]
        return [*fields, *added, ("Authorization", authorization)]

    return signed


def _library() -> tuple[Callable[[], Any], Callable[..., str]]:
    """What gives the credentials of now, and what makes the header of them."""
    try:
        from alibabacloud_credentials.client import Client
        from alibabacloud_credentials.exceptions import CredentialException
        from alibabacloud_tea_openapi.utils import Utils
    except ImportError as error:
        hint = "pip install 'coldbench[aliyun]'"
        raise UsageError("its signatures need Alibaba Cloud's library", place="fc:", hint=hint) from error

    def credentials() -> Any:
        try:
            return client.get_credential()
        except CredentialException as error:
            hint = "ALIBABA_CLOUD_ACCESS_KEY_ID with ALIBABA_CLOUD_ACCESS_KEY_SECRET, or aliyun configure"
            raise UsageError("there are no credentials to sign with", place="fc:", hint=hint) from error

    client = Client()
    credentials()  # what is missing is said before anything is sent
    return credentials, Utils.get_authorization


def _told(key: str, said: dict[str, str], url: str) -> str:
    told = said.get(key) or next((os.environ[name] for name in _KEYS[key] if os.environ.get(name)), "")
    if not re.fullmatch(r"[a-z0-9-]+", told):
        raise UsageError(f"nobody says the {key}", place=url, hint=f"add ?{key}=..., or set {_KEYS[key][0]}")
    return told
