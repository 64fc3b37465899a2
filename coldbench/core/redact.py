"""What is never written: credentials, in headers, in URLs, and in what servers echo of them."""

import re
from functools import lru_cache
from urllib.parse import unquote

REDACTED = "REDACTED"

_PARTS = (
    "authorization", "cookie", "token", "secret", "signature", "password", "passwd", "passphrase",
    "credential", "session", "csrf", "apikey", "accesskey", "jwt",
)  # fmt: skip
_WORDS = frozenset(("key", "auth", "sig", "sign", "pwd", "pass"))
_ENDINGS = ("key",)  # names of headers have lost where their words begin: X-Masterkey, x-clientkey
# Also between the words of camelCase and of APIKey.
_SEPARATORS = re.compile(r"[-_.:\[\]\s]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_PARAMETER = re.compile(r"([?&#])([^?&#=\s]++)=([^?&#\s]++)")
# Some separate them by `;`, which in others is a part of the value.
_AFTER_SEMICOLON = re.compile(r"(;)([^?&#;=\s]++)=([^?&#;\s]++)")
# A credential says what it is: an HTTP authentication scheme before it, or the form of a JSON Web Token.
_CREDENTIAL = re.compile(r"\b(?:[Bb]earer|[Bb]asic)\s+\S+|\beyJ[\w-]++\.[\w-]++\.[\w-]*+")
# What all of the above have in them (of words the part that is the same in both cases): most text has none of
# it, and needs no closer look.
_SUSPECT = ("?", "&", "#", ";", "://", "earer", "asic", "eyJ")

_NAME = r"([A-Za-z][\w.\[\]-]*+)"
# JSON, what Python and JavaScript print of it, and JSON within the text of JSON; each perhaps cut off. Lists
# may hold secrets, and numbers be some.
_MEMBER = re.compile(rf"""(?P<quote>(?<!\\)\\*+["']){_NAME}(?P=quote)\s*[:=]\s*""")
_MEMBERS_VALUE = re.compile(
    r"""\[[^\]]*\]?|"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|(\\+["']).*?(?:\1|\Z)|[^\s\[{},"'\\<]++""",
    re.DOTALL,
)
# A line of a header, or a field of a form.
_FIELD = re.compile(rf"(?P<quote>)(?<![\w.-]){_NAME}(?::[ \t]*+|=)")
_FIELDS_VALUE = re.compile(r"""[^\s"'<&][^\r\n"'<&]*+""")
_NO_VALUES = ("true", "false", "null", "None")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether a header or parameter of this name carries a credential, going by the words in it."""
    words = [word.lower() for word in _SEPARATORS.split(name)]
    whole = "".join(words)
    return any(part in whole for part in _PARTS) or whole.endswith(_ENDINGS) or not _WORDS.isdisjoint(words)


def is_secret_parameter(name: str) -> bool:
    """The same of a URL's parameter: `code` is a key there, of an Azure function, and no secret elsewhere."""
    plain = unquote(name)
    return is_secret(plain) or plain.lower() == "code"


def redact_value(name: str, value: str) -> str:
    """The header's value without secrets: nothing of it when its name says that it is one."""
    return REDACTED if is_secret(name) else redact_text(value)


def redact_text(text: str) -> str:
    """Without what looks like a credential wherever it stands."""
    for mark in _SUSPECT:
        if mark in text:
            return _CREDENTIAL.sub(REDACTED, redact_url(text))
    return text


def redact_body(text: str) -> str:
    """The same of a body, also without the values of what is named like a secret in it: an echo of the
    request, or what it was answered with.
    """
    text = _without_named(_MEMBER, _MEMBERS_VALUE, text)
    return redact_text(_without_named(_FIELD, _FIELDS_VALUE, text))


def redact_url(url: str) -> str:
    """Without the user information, and without the values of parameters that are named like secrets."""
    text = _PARAMETER.sub(_redacted_parameter, _USERINFO.sub(f"{REDACTED}@", url))
    return _AFTER_SEMICOLON.sub(_redacted_parameter, text)


def _redacted_parameter(found: re.Match[str]) -> str:
    separator, name, _ = found.groups()
    return f"{separator}{name}={REDACTED}" if is_secret_parameter(name) else found[0]


def _without_named(names: re.Pattern[str], values: re.Pattern[str], text: str) -> str:
    parts, at = [], 0
    for found in names.finditer(text):
        value = values.match(text, found.end()) if found.start() >= at and is_secret(found[2]) else None
        if value is None or value[0] in _NO_VALUES:
            continue
        # Quoted as its name is, so that what was JSON still is.
        quote = found["quote"]
        parts += [text[at : found.end()], quote, REDACTED, quote]
        at = value.end()
    return "".join((*parts, text[at:]))
