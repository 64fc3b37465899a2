"""What a request carries is found wherever an answer repeats it."""

import json

import pytest

from coldbench.cli.headers import read_headers
from coldbench.core.messages import Order, RawFact
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.secrets import secrets_of, without
from coldbench.core.target import Target
from coldbench.engine.writer import evidence_reader
from coldbench.evidence.sources import sources

KEY = "s3cr/t+k<y&=="


def target(url: str = "https://h/", *, secrets: tuple[str, ...] = (), **headers: str) -> Target:
    return Target(
        name="f",
        url=url,
        endpoint=url,
        headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()),
        secrets=secrets,
    )


@pytest.mark.parametrize(
    ("its", "secret"),
    [
        (target(X_Api_Key=KEY), KEY),
        (target(Authorization=f"Token {KEY}"), KEY),
        (target(Authorization=f"Bearer {KEY}"), KEY),
        (target(Authorization="Basic dTpodW50ZXIy"), "hunter2"),
        (target(Cookie="a=hunter2; b=x"), "hunter2"),
        (target(X_Own=KEY, secrets=(KEY,)), KEY),
        (target(X_Own=f"Bearer {KEY}", secrets=(f"Bearer {KEY}",)), KEY),
        (target("https://h/?clientKey=s3cr%2Ft%2Bk%3Cy%26%3D%3D"), KEY),
        (target("https://u:hunter2@h/"), "hunter2"),
        (target("https://u:hunter2@h/"), "dTpodW50ZXIy"),
        (target("https://hunter2@h/"), "hunter2"),
    ],
)
def test_secrets_of_a_request_are_hidden_in_every_form(its: Target, secret: str) -> None:
    secrets = secrets_of(its)
    for form in (secret, json.dumps(secret)[1:-1], secret.replace("/", r"\/")):
        assert without(f"it is {form}.", secrets) == "it is REDACTED."


def test_short_words_and_headers_that_carry_none_stay() -> None:
    assert secrets_of(target(X_Auth="true", Accept="application/json")) == ()
    assert without("x-cold-start: true", secrets_of(target(X_Auth="true"))) == "x-cold-start: true"


def test_a_secret_that_the_end_cuts_off_is_hidden_too() -> None:
    secrets = secrets_of(target(X_Api_Key="abcdefghijkl"))
    assert without("key abcdefgh", secrets, cut=True) == "key REDACTED"
    assert without("key abc", secrets, cut=True) == "key abc"
    assert without("key abcdefgh", secrets) == "key abcdefgh"


def test_values_of_the_environment_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN", KEY)
    assert read_headers(["X-Own: a $OWN", "Accept: b"]) == ((("X-Own", f"a {KEY}"), ("Accept", "b")), (KEY,))


def test_the_writer_hides_them_wherever_they_are_told() -> None:
    its = target("http://h/?clientKey=hunter2", X_Own=KEY, secrets=(KEY,))
    profile = parse_profile('[[stage]]\nkind = "burst"\nsize = 1\n', "one")
    order = Order(run_id="r", plan=plan(profile, 1, 1), targets=(its,), drain_ns=1)
    head = f"HTTP/1.1 200 OK\r\nX-Echo: {KEY}\r\nX-Request-Id: {KEY}\r\nX-Openfaas-Internal: {KEY}"
    body = json.dumps({"url": "/?clientKey=hunter2", "own": KEY, "cut": KEY})[:-5].encode()
    fact = RawFact(seq=0, target=0, phase=0, intended_ns=0, started_ns=0, head=head.encode(), status=200)
    evidence, cells = evidence_reader(order)(0, fact.head, b"", body, 200, True)
    assert evidence.request_id == "REDACTED"
    assert evidence.raw["x-echo"] == "REDACTED"
    for secret in ("hunter2", KEY, KEY[:8]):
        assert secret not in f"{evidence} {cells}"


def test_the_doctors_headers_have_none_either() -> None:
    [source] = sources([("X-Echo", f"a {KEY}")], secrets=secrets_of(target(X_Api_Key=KEY)))
    assert source.value == "a REDACTED"
