"""What a target's request says: where it goes, and what stands in it."""

import pytest

from coldbench.core.errors import UsageError
from coldbench.core.request import Address, address, request_fields, request_target
from coldbench.core.target import Target


def target(url: str) -> Target:
    return Target(name="f", url=url, endpoint=url)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("http://example.com", "example.com", 80, False),
        ("https://Example.COM/f?a=b", "example.com", 443, True),
        ("http://user:pass@example.com:8080/", "example.com", 8080, False),
        ("http://[::1]:81/", "::1", 81, False),
        ("http://bücher.example/", "xn--bcher-kva.example", 80, False),
        ("http://a_b.internal:0/", "a_b.internal", 0, False),
    ],
)
def test_where_a_url_goes(url: str, host: str, port: int, tls: bool) -> None:
    assert address(url) == Address(host=host, port=port, tls=tls)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "not a whole URL"),
        ("nonsense", "not a whole URL"),
        ("example.com/f", "not a whole URL"),
        ("ftp://example.com/", "unknown scheme 'ftp'"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://[::1", "not a URL"),
        ("http://h:99999/", "not a URL: Port out of range"),
        ("http://h:x/", "not a URL: Port could not be cast"),
        ("http://a..b/", "not a URL"),
        ("https://.example/", "not a URL"),
        ("http://a b/", "not a host's name"),
        ("http://a\\b/", "not a host's name"),
    ],
)
def test_what_is_no_url_is_said(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:hunter2@h:99999/?token=hunter2",
        "https://u:hunter2/@h/",
        "https://u:hunter2#@h/",
        "https://u:hunter2?x@h/",
        "u:hunter2@h/",
        "ftp://u:hunter2@h/",
        "https://u:hunter2@/",
        "https://u:hunter2@a b/?apikey=hunter2",
    ],
)
def test_what_is_said_of_a_wrong_url_has_no_credentials(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        address(url)
    said = raised.value
    assert "hunter2" not in f"{said} {said.message} {said.hint} {said.place}"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://h", "/"),
        ("http://h?q=1", "/?q=1"),
        ("http://h/a%20b/~c;d?e=[f]&g='h'#fragment", "/a%20b/~c;d?e=[f]&g='h'"),
        ("http://h/a b?c d", "/a%20b?c%20d"),
        ("http://h/ü?€", "/%C3%BC?%E2%82%AC"),
        ("http://h/a\r\nX: y", "/aX:%20y"),
    ],
)
def test_the_request_line_holds_what_a_url_can(url: str, sent: str) -> None:
    assert request_target(target(url)) == sent


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://Example.com/", "example.com"),
        ("http://example.com:80/", "example.com:80"),
        ("https://[::1]:8443/", "[::1]:8443"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
    ],
)
def test_the_host_field(url: str, host: str) -> None:
    assert dict(request_fields(target(url)))["Host"] == host
