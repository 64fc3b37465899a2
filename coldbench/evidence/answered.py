"""Who produced a response: the function, or something in its place."""

from collections.abc import Callable

from coldbench.core.invocation import AnsweredBy
from coldbench.evidence.headers import Headers
from coldbench.evidence.lists import pieces

_LONGEST_WHY = 120
# Squid's and Akamai's, as Azure's CDN documents them ("Debug HTTP headers", x-cache), and the common `HIT`.
_X_CACHE_HITS = frozenset(("hit", "tcp_hit", "tcp_mem_hit", "tcp_ims_hit", "tcp_remote_hit"))


def who_answered(headers: Headers, status: int | None, *, ran: bool) -> tuple[AnsweredBy, str | None]:
    """Who did, and the field that says so; `ran` means positive evidence that the function was executed.

    A cache comes first: it repeats the evidence of the execution that filled it. An error status of a
    function that says that it ran is the function's own.
    """
    if not _SIGN_NAMES.isdisjoint(headers):
        for name, answered, says_so in _SIGNS:
            for value in headers.get(name, ()):
                if says_so(value):
                    return answered, _why(name, value)
    if ran:
        return AnsweredBy.FUNCTION, None
    if status == 429:
        return AnsweredBy.THROTTLE, "status 429"
    if status in (502, 503, 504):
        return AnsweredBy.GATEWAY, f"status {status}"
    return AnsweredBy.UNSTATED, None


def _aged(value: str) -> bool:
    """In any of several caches, whose ages stand in one line."""
    ages = map(str.strip, value.split(","))
    return any(age.isascii() and age.isdigit() and age.strip("0") != "" for age in ages)


def _x_cache_hit(value: str) -> bool:
    """`Hit from cloudfront`, `TCP_HIT from ...`, `Cache Hit`; a hit in any of several caches: `MISS, HIT`."""
    parts = (part.removeprefix("cache ") for part in map(str.strip, value.lower().split(",")))
    return any(not _X_CACHE_HITS.isdisjoint(part.split()[:1]) for part in parts)


def _cache_status_hit(value: str) -> bool:
    """RFC 9211, 2.1: the parameter `hit` of any cache on the way, a boolean."""
    return any(is_parameter and name == "hit" and said != "?0" for is_parameter, name, said in pieces(value))


def _why(name: str, value: str) -> str:
    printable = "".join(character if character.isprintable() else "?" for character in value[:_LONGEST_WHY])
    return f"{name}: {printable}"


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda value: value.lower() in words


_SIGNS: tuple[tuple[str, AnsweredBy, Callable[[str], bool]], ...] = (
    ("age", AnsweredBy.CACHE, _aged),
    ("x-cache", AnsweredBy.CACHE, _x_cache_hit),
    ("cache-status", AnsweredBy.CACHE, _cache_status_hit),
    # The last two are answered from the cache too, while or although the origin is asked.
    ("cf-cache-status", AnsweredBy.CACHE, _one_of("hit", "stale", "updating")),
    # As people name nginx's $upstream_cache_status, whose values these are; bunny.net's.
    ("x-cache-status", AnsweredBy.CACHE, _one_of("hit", "stale", "updating")),
    ("x-proxy-cache", AnsweredBy.CACHE, _one_of("hit", "stale", "updating")),
    ("cdn-cache", AnsweredBy.CACHE, _one_of("hit", "stale")),
    # The others (miss, bypass, revalidated) were served by the origin.
    ("x-vercel-cache", AnsweredBy.CACHE, _one_of("hit", "stale", "prerender")),
    ("x-render-routing", AnsweredBy.FAILED_START, _one_of("hibernate-wake-error", "no-server")),
    # A component of the platform says that it answered; functions' own answers do not carry them.
    ("x-openfaas-internal", AnsweredBy.GATEWAY, bool),
    ("x-fission-component", AnsweredBy.GATEWAY, bool),
    ("x-coldbench-lab-error", AnsweredBy.FAILED_START, _one_of("start_failed")),
    ("x-coldbench-lab-error", AnsweredBy.GATEWAY, _one_of("instance_lost")),
    ("x-coldbench-lab-error", AnsweredBy.FUNCTION, _one_of("function_error")),
)
_SIGN_NAMES = frozenset(name for name, _, _ in _SIGNS)
