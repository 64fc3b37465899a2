"""What is never written: credentials, in headers, in URLs, and in what servers echo of them."""

import re
from functools import lru_cache
from urllib.parse import unquote

REDACTED = "REDACTED"

_PARTS = (
    "authorization", "cookie", "token", "secret", "signature", "password", "passwd", "credential",
    "session", "csrf", "apikey", "accesskey", "jwt",
)  # fmt: skip
_WORDS = frozenset(("key", "auth", "sig", "pwd", "pass"))
_SEPARATORS = re.compile(r"[-_.]")

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER = re.compile(r"([?&#])([^?&#=\s]++)=([^?&#\s]++)")
# A credential says what it is: an HTTP authentication scheme before it, or the form of a JSON Web Token.
_CREDENTIAL = re.compile(r"\b(?:[Bb]earer|[Bb]asic)\s+\S+|\beyJ[\w-]++\.[\w-]++\.[\w-]*+")
# What all of the above have in them (of words the part that is the same in both cases): most text has none of
# it, and needs no closer look.
_SUSPECT = ("?", "&", "#", "://", "earer", "asic", "eyJ")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a header or parameter of this name carries a credential, going by the words in it."""
    lower = name.lower()
    words = _SEPARATORS.split(lower)
    return any(part in "".join(words) for part in _PARTS) or not _WORDS.isdisjoint(words)


def redact_value(name: str, value: str) -> str:
    """The header's value without secrets: nothing of it when its name says that it is one."""
    return REDACTED if is_secret(name) else redact_text(value)


def redact_text(text: str) -> str:
    """Without what looks like a credential wherever it stands."""
    for mark in _SUSPECT:
        if mark in text:
            return _CREDENTIAL.sub(REDACTED, redact_url(text))
    return text


def redact_url(url: str) -> str:
    """Without the user information, and without the values of parameters that are named like secrets."""
    return _PARAMETER.sub(_redacted_parameter, _USERINFO.sub(f"{REDACTED}@", url))


def _redacted_parameter(found: re.Match[str]) -> str:
    separator, name, _ = found.groups()
    plain = unquote(name)
    # `code` is a key in the URL of an Azure function, and no secret in the headers of others.
    return f"{separator}{name}={REDACTED}" if is_secret(plain) or plain.lower() == "code" else found[0]
