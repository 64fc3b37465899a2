"""`huawei:URN`: Huawei Cloud FunctionGraph, by its API for synchronous invocation.

support.huaweicloud.com/intl/en-us/api-functiongraph/functiongraph_06_0125.html; the vendor's library signs
and finds the credentials (extra `huawei`).
"""

import re
from collections.abc import Callable
from configparser import Error as ConfigParserError
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coldbench.core.errors import UsageError
from coldbench.core.request import request_fields
from coldbench.core.target import SdkHmac, Target
from coldbench.targets.api import Api, read_url

# functiongraph_06_0102.html: it names region and project, too; without a version it is the latest.
_URN = re.compile(
    r"urn:fss:(?P<region>[a-z0-9-]+):(?P<project>[A-Za-z0-9_]+):function:[\w-]+:(?P<name>[\w-]+)(:[\w.-]+)?",
    re.ASCII,
)
# Of what is sent; the library adds the date.
_SIGNED = ("host", "content-type", "x-project-id")


def parse_huawei_url(url: str) -> Api:
    """What has to be sent to invoke the function; its answer has a summary of the execution.

    `?endpoint=` is for a region with a host of its own. Raises UsageError.
    """
    hint = "write huawei:urn:fss:REGION:PROJECT:function:PACKAGE:NAME[:VERSION], as the console shows it"
    named, said = read_url(url, _URN, ("endpoint",), what="a function's URN", hint=hint)
    base = said.get("endpoint") or f"https://functiongraph.{named['region']}.myhuaweicloud.com"
    return Api(
        name=named["name"],
        platform="huawei_functiongraph",
        endpoint=f"{base.rstrip('/')}/v2/{named['project']}/fgs/functions/{named[0]}/invocations",
        # The function's own answer, not wrapped into JSON.
        headers=(("X-Cff-Request-Version", "v0"), ("X-Project-Id", named["project"])),
        signing=SdkHmac(),
    )


def huawei_signer(target: Target) -> Callable[[], list[tuple[str, str]]]:
    """The target's fields with a signature of now. Raises UsageError where nobody has credentials.

    support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html
    """
    signer, request_type = _library()
    parts = urlsplit(target.endpoint)
    fields = request_fields(target)
    named = {name: value for name, value in fields if name.lower() in _SIGNED}

    def signed() -> list[tuple[str, str]]:
        keys = _credentials(target.url)
        token = {"X-Security-Token": keys.security_token} if keys.security_token else {}
        request = request_type(
            method=target.method,
            schema=parts.scheme,
            host=parts.netloc,
            resource_path=parts.path,
            query_params=parse_qsl(parts.query),
            header_params=named | token,
            body=target.body,
        )
        headers = signer(keys).sign(request).header_params
        return [*fields, *((name, value) for name, value in headers.items() if name not in named)]

    _credentials(target.url)  # what is missing is said before anything is sent
    return signed


def _library() -> tuple[Callable[[Any], Any], Callable[..., Any]]:
    try:
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer
    except ImportError as error:
        hint = "pip install 'coldbench[huawei]'"
        raise UsageError("its signatures need Huawei Cloud's library", place="huawei:", hint=hint) from error
    return Signer, SdkRequest


def _credentials(url: str) -> Any:
    """Of the environment, else of the file of the vendor's tools."""
    from huaweicloudsdkcore.auth.provider import EnvCredentialProvider, ProfileCredentialProvider

    for provider in (EnvCredentialProvider, ProfileCredentialProvider):
        try:
            keys = provider.get_basic().get_credentials()
        except (ValueError, ConfigParserError):
            continue
        if keys.ak and keys.sk:
            return keys
    hint = "HUAWEICLOUD_SDK_AK with HUAWEICLOUD_SDK_SK, or ~/.huaweicloud/credentials"
    raise UsageError("there are no credentials to sign with", place=url, hint=hint)
