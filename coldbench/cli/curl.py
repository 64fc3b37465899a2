"""`--curl 'PASTED COMMAND'`: a target as curl's command line has it, browsers' "Copy as cURL" included."""

import shlex
from argparse import ArgumentParser, Namespace
from base64 import b64encode
from typing import NoReturn

from msgspec import Struct

from coldbench.core.errors import UsageError

_PLACE = "--curl"
# curl's options that say how to show or keep an answer: nothing to us.
_FOR_SHOW = ("-s", "-S", "-i", "-v", "-f", "-g", "-#", "-N")
_FOR_SHOW_LONG = ("--silent", "--show-error", "--include", "--verbose", "--fail", "--globoff", "--no-buffer")


class CurlCommand(Struct, frozen=True, kw_only=True):
    """What it asks for, in the form of our own options of the same names."""

    url: str
    method: str | None
    headers: list[str]
    data: str | None
    insecure: bool
    resolve: list[str]


def parse_curl(text: str) -> CurlCommand:
    """Raises UsageError for what is not one curl command, and for an option that would change what is sent
    in a way that cannot be done here."""
    if "$'" in text:
        hint = "put the body into a file: -d @FILE"
        raise UsageError("$'...' is the shell's, and cannot be read", place=_PLACE, hint=hint)
    try:
        # A line's end behind a backslash is none to the shell; shlex keeps it.
        words = shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(f"not a command: {error}", place=_PLACE) from None
    if words[:1] != ["curl"]:
        raise UsageError("expected a command that begins with curl", place=_PLACE)
    said = _parser().parse_intermixed_args(words[1:])
    urls = said.urls + said.url
    if len(urls) != 1:
        raise UsageError(f"expected one URL, found {len(urls)}", place=_PLACE)
    return CurlCommand(
        url=urls[0] if "://" in urls[0] else f"http://{urls[0]}",
        method="HEAD" if said.head and said.request is None else said.request,
        headers=list(_headers(said)),
        data=_data(said),
        insecure=said.insecure,
        resolve=said.resolve,
    )


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        hint = "leave it out, or say the target with --url, -X, -H and -d"
        raise UsageError(message, place=_PLACE, hint=hint)


def _parser() -> ArgumentParser:
    parser = _Parser(prog="curl", add_help=False, allow_abbrev=False)
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--url", action="append", default=[])
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data", "--data-ascii", "--data-binary", action="append", default=[])
    parser.add_argument("--data-raw", action="append", default=[])
    parser.add_argument("--json")
    parser.add_argument("-A", "--user-agent")
    parser.add_argument("-e", "--referer")
    parser.add_argument("-b", "--cookie")
    parser.add_argument("-u", "--user")
    parser.add_argument("--compressed", action="store_true")
    parser.add_argument("-I", "--head", action="store_true")
    parser.add_argument("-k", "--insecure", action="store_true")
    parser.add_argument("--resolve", action="append", default=[])
    parser.add_argument("-o", "--output")
    parser.add_argument(*_FOR_SHOW, *_FOR_SHOW_LONG, dest="for_show", action="store_true")
    return parser


def _headers(said: Namespace) -> list[str]:
    headers: list[str] = list(said.header)
    values = {"User-Agent": said.user_agent, "Referer": said.referer, "Cookie": said.cookie}
    headers += [f"{name}: {value}" for name, value in values.items() if value is not None]
    if said.user is not None:
        headers.append(f"Authorization: Basic {b64encode(said.user.encode()).decode()}")
    if said.compressed:
        headers.append("Accept-Encoding: deflate, gzip")
    if said.json is not None:
        headers += ["Content-Type: application/json", "Accept: application/json"]
    return headers


def _data(said: Namespace) -> str | None:
    parts: list[str] = said.data + said.data_raw + ([] if said.json is None else [said.json])
    if any(part.startswith("@") for part in said.data_raw):
        raise UsageError("a raw body that begins with @", place=_PLACE, hint="put it into a file: -d @FILE")
    if len(parts) > 1 and any(part.startswith("@") for part in parts):
        raise UsageError("a body of a file and more", place=_PLACE, hint="put all of it into the file")
    return "&".join(parts) if parts else None
