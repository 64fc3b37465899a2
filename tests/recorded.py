"""The recorded answers of `tests/platforms`, one for each entry of the table of platforms."""

from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

_FOLDER = Path(__file__).with_name("platforms")


class Recorded(Struct, frozen=True):
    """A platform's answer; `host` is the one that was asked."""

    host: str
    fields: list[tuple[str, str]]
    wire: bytes


def recorded(platform: str) -> Recorded:
    request, answer, body = (_FOLDER / f"{platform}.http").read_text().split("\n\n", 2)
    status, *lines = answer.split("\n")
    head = "\r\n".join([status, *lines, f"Content-Length: {len(body)}"])
    return Recorded(
        host=urlsplit(request.split()[1]).hostname or "",
        fields=[(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)],
        wire=f"{head}\r\n\r\n{body}".encode(),
    )


def recorded_platforms() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.http"))
