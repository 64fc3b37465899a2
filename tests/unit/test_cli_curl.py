"""A pasted curl command, as our own options would say it."""

import pytest

from coldbench.cli.curl import parse_curl
from coldbench.core.errors import UsageError

BROWSER = r"""curl 'https://h.example/a?b=c' \
  -H 'accept: */*' \
  -b 'session=1; theme=dark' \
  --data-raw '{"a":"b c"}' \
  --compressed"""


def test_what_a_browser_copies() -> None:
    said = parse_curl(BROWSER)
    assert said.url == "https://h.example/a?b=c"
    assert said.method is None
    assert said.headers == ["accept: */*", "Cookie: session=1; theme=dark", "Accept-Encoding: deflate, gzip"]
    assert said.data == '{"a":"b c"}'


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("curl h.example", "url", "http://h.example"),
        ("curl --url https://h/ -sS -o out.txt", "url", "https://h/"),
        ("curl -XPUT https://h/", "method", "PUT"),
        ("curl -k https://h/ -X PUT", "method", "PUT"),
        ("curl -I https://h/", "method", "HEAD"),
        ("curl https://h/ -d a=1 -d b=2", "data", "a=1&b=2"),
        ("curl https://h/ -d @body.json", "data", "@body.json"),
        ("curl https://h/", "data", None),
        ("curl -k https://h/", "insecure", True),
        ("curl --resolve h:443:127.0.0.1 https://h/", "resolve", ["h:443:127.0.0.1"]),
        ("curl -u me:secret https://h/", "headers", ["Authorization: Basic bWU6c2VjcmV0"]),
        ("curl -A x -e y https://h/", "headers", ["User-Agent: x", "Referer: y"]),
        (
            "curl --json {} https://h/",
            "headers",
            ["Content-Type: application/json", "Accept: application/json"],
        ),
    ],
)
def test_options(text: str, field: str, value: object) -> None:
    assert getattr(parse_curl(text), field) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wget https://h/", "begins with curl"),
        ("", "begins with curl"),
        ("curl", "one URL, found 0"),
        ("curl https://a/ https://b/", "one URL, found 2"),
        ("curl 'https://h/", "not a command"),
        ("curl -L https://h/", "-L"),
        ("curl -F a=b https://h/", "-F"),
        ("curl https://h/ --data-raw $'a\\nb'", "the shell's"),
        ("curl https://h/ -d a=1 -d @f", "a file and more"),
        ("curl https://h/ --data-raw @x", "begins with @"),
        ("curl https://h/ -X", "expected one argument"),
    ],
)
def test_what_cannot_be_done_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        parse_curl(text)
    assert raised.value.place == "--curl"
