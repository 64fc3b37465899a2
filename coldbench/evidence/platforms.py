"""The table of platforms, `platforms.toml`: what their answers tell, where, and who verified it.

What nobody has verified is kept for people to see (`coldbench doctor`), and is never read.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from coldbench.core.errors import UsageError

SHIPPED = Path(__file__).with_name("platforms.toml")
GENERIC = "generic"  # the entry that is read of every answer

Tells = Literal["cold_flag", "init_ms", "exec_ms", "billed_ms", "queue_ms", "instance", "request_id"]
Verified = Literal["documented", "captured", "no"]


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a platform tells; the head of `platforms.toml` explains each attribute."""

    name: str
    verified: Verified
    at: Literal["header", "cookie", "tail", "body", "log", "env"] = "header"
    tells: Tells | None = None
    deployment: Literal["code", "version", "memory_mb", "region"] | None = None
    unit: Literal["ms", "s", "us", "ns"] = "ms"
    key: str | None = None
    negated: bool = False
    example: str | None = None
    via: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()


class Platform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; durations in the unit of their name, None where nobody says."""

    name: str
    hosts: tuple[str, ...] = ()
    hosts_verified: bool = True
    signs: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    idle_s: tuple[float, float] | None = None
    idle_verified: Verified = "no"
    concurrency: int | None = None
    billing_ms: float | None = None
    price: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    platform: dict[str, Platform] = {}
    sources: dict[str, str] = {}


@lru_cache
def platforms(own: str | None = None) -> Mapping[str, Platform]:
    """By id; those of the file `own` come before ours and replace ours of the same id.

    Raises UsageError where the file cannot be read or is no table of platforms.
    """
    shipped = _read(SHIPPED)
    mine = {} if own is None else _read(Path(own))
    return mine | {identity: its for identity, its in shipped.items() if identity not in mine}


def _read(path: Path) -> dict[str, Platform]:
    place = str(path)
    try:
        table = msgspec.toml.decode(path.read_bytes(), type=_File).platform
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", place=place) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"not a table of platforms: {error}", place=place) from error
    for identity, its in table.items():
        _check(its, f"{place}: platform.{identity}")
    return table


def _check(platform: Platform, place: str) -> None:
    if platform.idle_s is not None and not 0 < platform.idle_s[0] <= platform.idle_s[1]:
        raise UsageError("expected the shortest and the longest lifetime in seconds", place=f"{place}.idle_s")
    for sign in (*platform.signs, *platform.hints):
        name, colon, beginning = sign.partition(":")
        if not name.strip() or (colon and not beginning.strip()):
            raise UsageError(
                f"expected a header's name, or the beginning of its line, got {sign!r}", place=place
            )
    for host in platform.hosts:
        if not host.strip("*.?[]"):
            raise UsageError(f"{host!r} fits any host", place=f"{place}.hosts")
