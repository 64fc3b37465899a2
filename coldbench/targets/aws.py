"""`lambda:FUNCTION[:QUALIFIER]`, and Signature Version 4: botocore signs and finds credentials (extra `aws`).

Invoke: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from coldbench.core.errors import UsageError
from coldbench.core.redact import redact_url
from coldbench.core.request import address, request_fields, request_target
from coldbench.core.target import Aws4, Target
from coldbench.targets.api import Api, read_url

# A name or an ARN, and what may follow: a version, an alias, $LATEST.
_FUNCTION = re.compile(
    r"(?P<name>arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):[0-9]{12}:function:[\w-]+|[\w-]+)"
    r"(:(?P<qualifier>\$LATEST|[\w-]+))?"
)
# docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, .../apigateway/latest/developerguide
_HOSTS = (
    re.compile(r"\w+\.(?P<service>lambda-url)\.(?P<region>[a-z0-9-]+)\.on\.aws"),
    re.compile(r"\w+\.(?P<service>execute-api)\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"),
)
_KEYS = ("region", "endpoint")
_NO_KEYS = "AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or aws configure"


def parse_lambda_url(url: str) -> Api:
    """What has to be sent to invoke the function, with the end of its log in the answer.

    `?region=` and `?endpoint=` go before what AWS's own configuration says. Raises UsageError.
    """
    hint = "write lambda:FUNCTION, lambda:FUNCTION:QUALIFIER or lambda:ARN"
    named, said = read_url(url, _FUNCTION, _KEYS, what="a function's name", hint=hint)
    # botocore itself reads only AWS_DEFAULT_REGION.
    region = said.get("region") or named["region"] or os.environ.get("AWS_REGION")
    with _words(url):
        client = _session().create_client("lambda", region_name=region, endpoint_url=said.get("endpoint"))
    path = f"/2015-03-31/functions/{quote(named['name'], safe='')}/invocations"
    qualifier = f"?Qualifier={quote(named['qualifier'], safe='')}" if named["qualifier"] else ""
    return Api(
        name=named["name"].rpartition(":")[2],
        platform="aws_lambda_invoke",
        endpoint=client.meta.endpoint_url.rstrip("/") + path + qualifier,
        headers=(("X-Amz-Log-Type", "Tail"),),
        signing=Aws4(region=client.meta.region_name, service="lambda"),
    )


def parse_sigv4(text: str, url: str) -> Aws4:
    """`aws:amz[:REGION[:SERVICE]]`, as curl's option of the same name has it, to invoke an http(s) URL.

    Region and service are those of the host where it is a function URL's or API Gateway's. Raises UsageError.
    """
    place = f"--aws-sigv4 {text}"
    provider, amz, region, service = (*text.split(":"), "", "", "")[:4]
    if (provider, amz) != ("aws", "amz") or text.count(":") > 3:
        raise UsageError("expected aws:amz[:REGION[:SERVICE]]", place=place)
    host = address(url).host
    told = next((found for pattern in _HOSTS if (found := pattern.fullmatch(host))), None)
    if told is not None:
        region, service = region or told["region"], service or told["service"].removesuffix("-url")
    if not (region and service):
        hint = "write aws:amz:eu-west-1:lambda"
        raise UsageError(f"{host} does not say which region and service it is", place=place, hint=hint)
    return Aws4(region=region, service=service)


def aws_signer(target: Target, signing: Aws4) -> Callable[[], list[tuple[str, str]]]:
    """The target's fields with a signature of now. Raises UsageError where nobody has credentials."""
    session = _session()
    with _words(target.url):
        credentials = session.get_credentials()
    if credentials is None:
        raise UsageError("there are no credentials to sign with", place=redact_url(target.url), hint=_NO_KEYS)
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    parts = urlsplit(target.endpoint)
    url = f"{parts.scheme}://{parts.netloc}{request_target(target)}"

    def signed() -> list[tuple[str, str]]:
        request = AWSRequest(target.method, url, data=target.body)
        for name, value in request_fields(target):
            request.headers.add_header(name, value)
        with _words(target.url):
            frozen = credentials.get_frozen_credentials()  # renewed by now, where they expire
        SigV4Auth(frozen, signing.service, signing.region).add_auth(request)
        return list(request.headers.items())

    return signed


def _session() -> Any:
    try:
        from botocore.session import get_session
    except ImportError as error:
        hint = "pip install 'coldbench[aws]'"
        raise UsageError("AWS's signatures need botocore", place="lambda:", hint=hint) from error
    return get_session()


@contextmanager
def _words(url: str) -> Iterator[None]:
    """What botocore finds wrong with its configuration is the user's to mend, and said so."""
    from botocore.exceptions import BotoCoreError, NoRegionError

    try:
        yield
    except NoRegionError as error:
        hint = "set AWS_REGION, or add ?region=eu-west-1"
        raise UsageError("nobody says in which region", place=redact_url(url), hint=hint) from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise UsageError(str(error), place=redact_url(url)) from error
