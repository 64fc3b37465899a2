"""What is never written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldbench.core.redact import REDACTED, is_secret, redact_body, redact_text, redact_url, redact_value
from coldbench.evidence.platforms import platforms

SECRET = "hunter2"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "x-apikey",
        "X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-Credential", "X-Fc-Access-Token", "X-Auth",
        "X-Auth-Token", "X-Client-Secret", "X-Hub-Signature-256", "X-CSRF-Token", "X-Session-Id",
        "x-fc-cookie-session-id", "Ocp-Apim-Subscription-Key", "x-functions-key", "X-Goog-IAM-JWT",
        "AWSAccessKeyId", "X-Masterkey", "X-AppKey", "X-Auth-Key", "authkey", "X-Passphrase", "X-Sign",
    ],
)  # fmt: skip
def test_secret_headers(name: str) -> None:
    assert is_secret(name)
    assert redact_value(name, SECRET) == redact_value(name.upper(), SECRET) == REDACTED


@pytest.mark.parametrize(
    "name",
    [
        "clientKey", "subscriptionKey", "functionKey", "privateKey", "appkey", "authkey", "sign", "userAuth",
        "passphrase", "api[key]", "auth[0]", "APIKey", "requestSign", "X-Masterkey", "%63lientKey",
    ],
)  # fmt: skip
def test_secret_parameters(name: str) -> None:
    assert redact_url(f"https://h/f?a=1&{name}=hunter2") == f"https://h/f?a=1&{name}=REDACTED"
    assert redact_url(f"https://h/f?a=1;{name}=hunter2;b=2") == f"https://h/f?a=1;{name}=REDACTED;b=2"


def test_what_platforms_tell_in_headers_is_no_secret() -> None:
    table = platforms()
    told = {field.name for its in table.values() for field in its.fields if field.at in ("header", "tail")}
    signs = {sign.partition(":")[0] for its in table.values() for sign in (*its.signs, *its.hints)}
    cookies = ("x-fc-cookie-session-id",)  # of a caller's session, and tells nothing of the instance
    assert len(told) > 20
    assert [name for name in sorted(told | signs) if is_secret(name) and name not in cookies] == []


@pytest.mark.parametrize("name", ["design", "assigned", "author", "passed", "keyboard", "sigma", "monkeys"])
def test_words_that_only_begin_like_secrets_are_none(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "Server", "Server-Timing", "X-Cold-Start", "X-Init-Duration-Ms", "X-Instance-Id", "X-Request-Id",
        "X-Fc-Request-Id", "X-Fc-Code-Checksum", "X-Func-Err-Code", "X-Cloud-Trace-Context", "CF-RAY", "Age",
        "X-Cache", "Via", "Accept", "User-Agent", "X-Coldbench-Id",
    ],
)  # fmt: skip
def test_evidence_is_no_secret(name: str) -> None:
    assert redact_value(name, "value 1") == "value 1"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://h/p?size=20&q=a#top", "https://h/p?size=20&q=a#top"),
        ("lab:python?idle=5s&seed=3", "lab:python?idle=5s&seed=3"),
        ("https://user:hunter2@h/", "https://REDACTED@h/"),
        ("https://hunter2@h:80", "https://REDACTED@h:80"),
        ("https://u:hun@ter2@h/", "https://REDACTED@h/"),
        ("https://h/me@example.org", "https://h/me@example.org"),
        ("https://h/f?code=hunter2&x=1", "https://h/f?code=REDACTED&x=1"),
        ("https://h/f?x=1&sig=hunter2", "https://h/f?x=1&sig=REDACTED"),
        ("https://h/f?token=hunter2", "https://h/f?token=REDACTED"),
        ("https://h/f?access_token=hunter2&key=hunter2", "https://h/f?access_token=REDACTED&key=REDACTED"),
        ("https://h/f?X-Amz-Signature=hunter2", "https://h/f?X-Amz-Signature=REDACTED"),
        ("https://h/f?%74oken=hunter2", "https://h/f?%74oken=REDACTED"),
        ("https://h/f?apiKey=a=hunter2", "https://h/f?apiKey=REDACTED"),
        ("https://h/f#id_token=hunter2", "https://h/f#id_token=REDACTED"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_urls(url: str, written: str) -> None:
    assert redact_url(url) == written


@pytest.mark.parametrize(
    "text",
    [
        "Bearer hunter2", "got: bearer hunter2.", "Basic hunter2", "sent eyJhbGci.eyJzdWIi.hunter2",
        "https://u:hunter2@h/x", "/back?token=hunter2",
    ],
)  # fmt: skip
def test_a_credential_that_a_server_echoes_is_not_written(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert SECRET not in redact_value("Location", text)


secrets = st.text("abcdefXYZ0123456789", min_size=8, max_size=20)


@given(st.text(max_size=30).filter(lambda t: "eyJ" not in t), secrets, st.sampled_from(["?", "&", "#"]))
def test_no_prefix_hides_a_secret_parameter(before: str, secret: str, separator: str) -> None:
    assert f"key={secret}" not in redact_url(f"https://h/{before}{separator}key={secret}")


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact_text(redact_text(text)) == redact_text(text)


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ('{"x-api-key": "hunter2", "a": 1}', '{"x-api-key": "REDACTED", "a": 1}'),
        ('{"authorization":"Token hunter2"}', '{"authorization":"REDACTED"}'),
        ('{"Authorization":["Token hunter2","hunter2"],"a":1}', '{"Authorization":"REDACTED","a":1}'),
        ('{"token": "a\\"hunter2", "a": 1}', '{"token": "REDACTED", "a": 1}'),
        ('{"pass": 1234, "a": 1}', '{"pass": "REDACTED", "a": 1}'),
        ('{"clientKey": "hunter2', '{"clientKey": "REDACTED"'),
        ("{'X-Api-Key': 'hunter2'}", "{'X-Api-Key': 'REDACTED'}"),
        ('{"body": "{\\"token\\":\\"hunter2\\"}"}', '{"body": "{\\"token\\":\\"REDACTED\\"}"}'),
        ("Host: h\r\nAuthorization: Token hunter2\r\nAccept: */*", None),
        ("Host: h\r\nCookie: a=hunter2; b=hunter2", None),
        ("<li>X-Api-Key: hunter2</li>", "<li>X-Api-Key: REDACTED</li>"),
        ("token=hunter2&a=1", "token=REDACTED&a=1"),
        ('{"cold": true, "session": null, "n": 3}', '{"cold": true, "session": null, "n": 3}'),
        ('{"message": "Missing Authentication Token"}', '{"message": "Missing Authentication Token"}'),
        ("hello, world: 1 + 1 = 2", "hello, world: 1 + 1 = 2"),
    ],
)
def test_a_body_has_no_values_of_what_is_named_like_a_secret(body: str, written: str | None) -> None:
    found = redact_body(body)
    assert SECRET not in found
    assert written in (None, found)
    assert redact_body(found) == found


@given(st.text(st.sampled_from("token:=\"'\\[]{}; ,a")))
def test_no_body_is_too_odd(text: str) -> None:
    redact_body(text)
