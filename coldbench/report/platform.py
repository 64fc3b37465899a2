"""A platform's entry in the table, for people: what is known of it, and what its headers mean."""

from collections.abc import Container, Iterator

from coldbench.evidence.platforms import GENERIC, Field, Platform, platforms
from coldbench.evidence.recognise import Recognition
from coldbench.evidence.sources import Source
from coldbench.report.words import shown

_WHERE = {
    "header": "a header",
    "cookie": "a cookie",
    "tail": "the log's tail, in a header",
    "body": "the body",
    "log": "the platform's log or metrics, with its own credentials",
    "env": "the function's environment",
}
_VERIFIED = {"documented": "documented", "captured": "in recorded answers", "no": "not verified"}
_LIVES = {"documented": "documented", "captured": "others have measured", "no": "not verified"}


def platform_lines(recognised: Recognition | None) -> Iterator[str]:
    """Which platform, by what, and what is known of its instances."""
    if recognised is None:
        yield "platform  not recognised"
        return
    its = recognised.platform
    perhaps = "" if recognised.sure else "perhaps "
    yield f"platform  {perhaps}{shown(its.name)} ({shown(recognised.id)}), by {shown(recognised.by)}"
    if not its.hosts_verified:
        yield "          which hosts are its own is not verified"
    for line in known_of(its):
        yield f"          {shown(line)}"


def known_of(platform: Platform) -> Iterator[str]:
    """Of its instances: lifetime, concurrency, billing, and what else is noted."""
    if platform.idle_s is not None:
        low, high = platform.idle_s
        how_long = f"{low:g} s" if low == high else f"{low:g} to {high:g} s"
        yield f"an unused instance lives {how_long} ({_LIVES[platform.idle_verified]})"
    if platform.concurrency is not None:
        yield f"invocations in one instance at once, unless set: {platform.concurrency}"
    if platform.billing_ms is not None:
        yield f"time is billed in steps of {platform.billing_ms:g} ms"
    if platform.note is not None:
        yield platform.note


def header_line(recognised: Recognition | None, header: Source) -> str:
    """Of a header that told nothing: what the table says of it, if it does."""
    sent = f"{shown(header.name, 40)}: {shown(header.value, 60)}"
    field = next((field for field in _fields(recognised) if _is(field, header)), None)
    if field is None:
        return f"not read  {sent}"
    if field.verified == "no":
        said = f"said to tell {field.tells}" if field.tells else field.note
        return f"not read  {sent} ({shown(said or 'known by name')}; not verified)"
    return f"explained {sent} ({shown(field.note or 'tells nothing of the instance')})"


def elsewhere_lines(recognised: Recognition | None, found: Container[str]) -> Iterator[str]:
    """What the platform tells at another place than in these answers, of what they do not tell."""
    fields = () if recognised is None else recognised.platform.fields
    for field in fields:
        if field.tells is not None and field.tells not in found and (field.at != "header" or field.via):
            said = (_WHERE[field.at], field.via, field.note, _VERIFIED[field.verified])
            yield f"elsewhere {field.tells}: {shown(field.name)} ({shown('; '.join(filter(None, said)))})"


def _fields(recognised: Recognition | None) -> tuple[Field, ...]:
    generic = platforms()[GENERIC].fields
    return generic if recognised is None else recognised.platform.fields + generic


def _is(field: Field, header: Source) -> bool:
    return field.at == "header" and field.name.lower() == header.name.lower()
