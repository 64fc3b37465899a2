"""The secrets that a target's requests carry: they are known, and found wherever an answer repeats them."""

import html
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote, urlsplit

from coldbench.core.redact import REDACTED, is_secret, is_secret_parameter
from coldbench.core.target import Target

# Shorter ones are words and numbers that stand in many places.
_LEAST = 6
_LEAST_CUT = 4
_SCHEMES = ("bearer", "token", "basic", "apikey", "key", "digest")


def secrets_of(target: Target) -> tuple[str, ...]:
    """Each in the forms that servers repeat it in, the longest first."""
    whole = {secret for secret in _sent(target) if len(secret) >= _LEAST}
    forms = {form for secret in whole for form in _forms(secret)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def without(text: str, secrets: Sequence[str], *, cut: bool = False) -> str:
    """The text with none of the secrets in it; nor with a part of one at the end, where it was `cut` off."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    at = min((_begun_at(text, secret) for secret in secrets), default=len(text)) if cut else len(text)
    return text if at == len(text) else text[:at] + REDACTED


def _begun_at(text: str, secret: str) -> int:
    """Where its beginning stands at the end of the text; that end where it does not."""
    at = text.find(secret[:_LEAST_CUT], max(0, len(text) - len(secret)))
    while at >= 0:
        if secret.startswith(text[at:]):
            return at
        at = text.find(secret[:_LEAST_CUT], at + 1)
    return len(text)


def _sent(target: Target) -> Iterator[str]:
    for value in target.secrets:
        yield from _of_value(value)
    for name, value in target.headers:
        if name.lower() == "cookie":
            yield from (pair.partition("=")[2].strip() for pair in value.split(";"))
        if is_secret(name):
            yield from _of_value(value)
    for url in {target.url, target.endpoint}:
        yield from _of_url(url)


def _of_value(value: str) -> Iterator[str]:
    """Of a header: all of it, what stands behind its scheme, and what a function decodes of that."""
    yield value
    scheme, _, rest = value.partition(" ")
    if scheme.lower() in _SCHEMES:
        yield rest.strip()
    if scheme.lower() == "basic":
        try:
            userinfo = b64decode(rest.strip()).decode()
        except ValueError:
            return  # not what its scheme says
        yield userinfo
        yield userinfo.partition(":")[2]


def _of_url(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    for pair in f"{parts.query}&{parts.fragment}".replace(";", "&").split("&"):
        name, _, value = pair.partition("=")
        if is_secret_parameter(name):
            yield unquote(value)
    if parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        yield password or user
        yield f"{user}:{password}"
        yield b64encode(f"{user}:{password}".encode()).decode()


def _forms(secret: str) -> Iterator[str]:
    """As it is, in URLs, in JSON (some write a slash as `\\/`, some all that is not ASCII), in HTML."""
    yield secret
    yield unquote(secret)
    yield quote(secret, safe="")
    yield quote(secret)
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", r"\/")
    yield html.escape(secret)
