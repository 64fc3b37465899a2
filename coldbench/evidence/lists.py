"""Lists whose members carry parameters, `a;x=1, b;y="2"`: the form of Server-Timing and Cache-Status."""

import re

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # RFC 9110, 5.6.2
_BOOLEAN = r"\?[01]"  # of structured fields, RFC 8941, 3.3.6
_INSIDE = r'(?:[^"\\]++|\\.)*+'  # of a quoted-string, RFC 9110, 5.6.4
# What stands between a piece and the next delimiter; a quoted string that is not closed goes to the end.
_JUNK = rf'(?:[^",;]++|"{_INSIDE}(?:"|\\?\Z))*+'
# Every quantifier is possessive: each character is looked at a bounded number of times.
_PIECE = re.compile(
    rf'(\A|[,;])[ \t]*+(?:({_TOKEN})(?:[ \t]*+=[ \t]*+(?:({_TOKEN}|{_BOOLEAN})|"({_INSIDE})"))?+)?+{_JUNK}',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def pieces(value: str) -> list[tuple[bool, str, str]]:
    """Whether each piece is a parameter (else it begins a member), its name, and its value, unquoted.

    The name is empty where no token stands, the value where there is none or none that can be read. What
    follows either up to the next delimiter is left out; commas and semicolons in quotes do not delimit.
    Never raises; takes time linear in the length.
    """
    return [
        (separator == ";", name, token or (_ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted))
        for separator, name, token, quoted in _PIECE.findall(value)
    ]
