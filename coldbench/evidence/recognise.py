"""Which platform answered: by what it says of itself, and by the name of its host."""

from fnmatch import fnmatchcase
from functools import lru_cache

from msgspec import Struct

from coldbench.evidence.headers import Headers
from coldbench.evidence.platforms import Platform, platforms


class Recognition(Struct, frozen=True, kw_only=True):
    """Which platform it is, and what says so; not `sure` when others send that, too."""

    id: str
    platform: Platform
    by: str
    sure: bool = True


def recognise(headers: Headers, host: str | None, own: str | None = None) -> Recognition | None:
    """The platform behind an answer from `host`; None when neither says.

    The host narrows it down. Of those left, one that sends a sign of its own is it; without a sign, the
    only one that the host fits. A hint alone, or a host that nobody has verified to be the platform's, is a
    recognition that is not `sure`.
    """
    table = _table(own, host)
    for identity, name, beginning, sign in table.signs:
        values = headers.get(name)
        if values is not None and any(value.lower().startswith(beginning) for value in values):
            return _recognised(own, identity, by=f"the header {sign}")
    if table.by_host is not None:
        sure = platforms(own)[table.by_host].hosts_verified
        return _recognised(own, table.by_host, by=f"the host {host}", sure=sure)
    for identity, name, beginning, sign in table.hints:
        values = headers.get(name)
        if values is not None and any(value.lower().startswith(beginning) for value in values):
            return _recognised(own, identity, by=f"the header {sign}, which others send, too", sure=False)
    return None


def platform_of(headers: Headers, host: str | None, own: str | None = None) -> str | None:
    """The id of the platform that surely answered."""
    known = recognise(headers, host, own)
    return known.id if known is not None and known.sure else None


@lru_cache(maxsize=4096)
def _recognised(own: str | None, identity: str, *, by: str, sure: bool = True) -> Recognition:
    return Recognition(id=identity, platform=platforms(own)[identity], by=by, sure=sure)


# The id of the platform, the header's lower-case name, the beginning of its value, and both as written.
_Sign = tuple[str, str, str, str]


class _Table(Struct, frozen=True):
    """What is looked for in answers from one host."""

    by_host: str | None  # when the host fits one platform alone
    signs: tuple[_Sign, ...]
    hints: tuple[_Sign, ...]


@lru_cache(maxsize=4096)
def _table(own: str | None, host: str | None) -> _Table:
    known = platforms(own)
    here = {
        identity: its
        for identity, its in known.items()
        if host is not None and any(fnmatchcase(host.lower(), pattern.lower()) for pattern in its.hosts)
    }
    return _Table(
        next(iter(here)) if len(here) == 1 else None,
        tuple(_sign(identity, sign) for identity, its in (here or known).items() for sign in its.signs),
        tuple(_sign(identity, sign) for identity, its in known.items() for sign in its.hints),
    )


def _sign(identity: str, sign: str) -> _Sign:
    name, _, beginning = sign.partition(":")
    return identity, name.strip().lower(), beginning.strip().lower(), sign
