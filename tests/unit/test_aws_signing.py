"""Signature Version 4, checked by an implementation of its own, and what a `lambda:` URL stands for."""

from email.message import Message

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from coldbench.core.errors import UsageError
from coldbench.core.request import request_target
from coldbench.core.target import Aws4, Target
from coldbench.engine.request import RequestTemplate
from coldbench.targets.api import parse_api_url
from coldbench.targets.aws import parse_sigv4
from coldbench.targets.signing import signer
from tests.e2e.lambda_double import KEY_ID, REGION, SECRET, TOKEN, what_is_wrong

pytest.importorskip("botocore")
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:hello"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_REGION", REGION)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def lambda_target(url: str, body: bytes = b"") -> Target:
    api = parse_api_url(url)
    assert api is not None
    return Target(
        name=api.name,
        url=url,
        endpoint=api.endpoint,
        method="POST",
        headers=api.headers,
        body=body,
        signing=api.signing,
    )


def verified(target: Target, fields: list[tuple[str, str]]) -> str | None:
    sent = Message()
    for name, value in fields:
        sent[name] = value
    return what_is_wrong(target.method, request_target(target), sent, target.body)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(
    body=st.binary(max_size=200),
    name=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_every_signature_is_one_that_aws_would_take(body: bytes, name: str, header: str) -> None:
    target = lambda_target(f"lambda:{name}:$LATEST", body)
    target = replace(target, headers=(*target.headers, ("X-Own", header.strip())))
    assert verified(target, signer(target)()) is None


def test_an_arn_is_signed_as_it_is_sent() -> None:
    target = lambda_target(f"lambda:{ARN}:live")
    assert verified(target, signer(target)()) is None


def test_the_engines_bytes_are_signed_and_the_id_is_not() -> None:
    target = lambda_target("lambda:hello", b"{}")
    template = RequestTemplate(target, "run")
    head, _, body = template.render(7).partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    assert request_line == "POST /2015-03-31/functions/hello/invocations HTTP/1.1"
    assert body == b"{}"
    assert ("X-Coldbench-Id", "run-7") in fields
    assert verified(target, fields) is None
    assert "x-coldbench-id" not in dict(fields)["Authorization"]
    template.sign()
    assert template.render(7).endswith(b"{}")


def test_a_body_that_was_changed_on_the_way_is_refused() -> None:
    target = lambda_target("lambda:hello", b"{}")
    assert verified(replace(target, body=b"[]"), signer(target)()) == "the signature"


@pytest.mark.parametrize(
    ("url", "name", "endpoint"),
    [
        ("lambda:hello", "hello", "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/hello/invocations"),
        ("lambda:hello:3", "hello", "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/hello/invocations?Qualifier=3"),
        ("lambda:a?region=cn-north-1", "a", "https://lambda.cn-north-1.amazonaws.com.cn/2015-03-31/functions/a/invocations"),
        ("lambda:a?endpoint=http://127.0.0.1:9/", "a", "http://127.0.0.1:9/2015-03-31/functions/a/invocations"),
        (f"lambda:{ARN}", "hello", "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Ahello/invocations"),
    ],
)  # fmt: skip
def test_what_a_url_stands_for(url: str, name: str, endpoint: str) -> None:
    api = parse_api_url(url)
    assert api is not None
    assert (api.name, api.endpoint) == (name, endpoint)
    assert api.headers == (("X-Amz-Log-Type", "Tail"),)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("lambda:", "not a function's name"),
        ("lambda:a b", "not a function's name"),
        ("lambda:a?colour=red", "unknown key 'colour'"),
        ("lambda:a?endpoint=nowhere", "nowhere"),
        ("lambda:a?region=not a region", "not a region"),
    ],
)
def test_a_bad_url_says_what_was_expected(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_api_url(url)


@pytest.mark.parametrize(
    ("text", "url", "region", "service"),
    [
        ("aws:amz", "https://abc.lambda-url.eu-west-1.on.aws/", "eu-west-1", "lambda"),
        ("aws:amz", "https://abc.execute-api.us-east-1.amazonaws.com/a", "us-east-1", "execute-api"),
        ("aws:amz:eu-west-1", "https://abc.lambda-url.us-east-1.on.aws/", "eu-west-1", "lambda"),
        ("aws:amz:eu-west-1:vpc-lattice-svcs", "https://mine.example.com/", "eu-west-1", "vpc-lattice-svcs"),
    ],
)
def test_what_is_signed_for(text: str, url: str, region: str, service: str) -> None:
    assert parse_sigv4(text, url) == Aws4(region=region, service=service)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yes", "expected aws:amz"),
        ("gcp:goog", "expected aws:amz"),
        ("aws:amz:a:b:c", "expected aws:amz"),
        ("aws:amz", "does not say which region"),
        ("aws:amz:eu-west-1", "does not say which region"),
    ],
)
def test_what_cannot_be_signed_for_is_said(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_sigv4(text, "https://mine.example.com/")


def test_other_urls_are_of_no_api() -> None:
    assert parse_api_url("https://example.com/lambda:hello") is None
