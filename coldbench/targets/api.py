"""The platforms' own ways to invoke a function, as URL schemes."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl

from msgspec import Struct

from coldbench.core.errors import UsageError
from coldbench.core.redact import redact_url
from coldbench.core.target import Signing


class Api(Struct, frozen=True, kw_only=True):
    """What a URL of such a scheme stands for: a POST whose body is the event, or has it inside (`body_of`).

    The API answers 200 where the function ran, whatever became of it there. `name` is the function's,
    `platform` the id in `evidence/platforms.toml`. `body_of` raises UsageError for an event it cannot take.
    """

    name: str
    platform: str
    endpoint: str
    headers: tuple[tuple[str, str], ...] = ()
    signing: Signing | None = None
    body_of: Callable[[bytes], bytes] | None = None
    evidence_body_bytes: int = 0


def read_url(
    url: str, name: re.Pattern[str], keys: Sequence[str], *, what: str, hint: str
) -> tuple[re.Match[str], dict[str, str]]:
    """Of `SCHEME:NAME[?KEY=VALUE&...]`: the name, as the pattern has it, and what is said by the keys.

    Raises UsageError for a name that is not `what` is expected, with the hint, and for another key.
    """
    where, _, query = url.partition(":")[2].partition("?")
    named = name.fullmatch(where)
    if named is None:
        raise UsageError(f"not {what}", place=redact_url(url), hint=hint)
    said = dict(parse_qsl(query, keep_blank_values=True))
    unknown = next((key for key in said if key not in keys), None)
    if unknown is not None:
        raise UsageError(
            f"unknown key {unknown!r}", place=redact_url(url), hint=f"it takes {', '.join(keys)}"
        )
    return named, said


def parse_api_url(url: str) -> Api | None:
    """What the URL stands for, None where it is of no such scheme. Raises UsageError."""
    if url.startswith("lambda:"):
        from coldbench.targets.aws import parse_lambda_url

        return parse_lambda_url(url)
    if url.startswith("fc:"):
        from coldbench.targets.fc import parse_fc_url

        return parse_fc_url(url)
    if url.startswith("huawei:"):
        from coldbench.targets.huawei import parse_huawei_url

        return parse_huawei_url(url)
    if url.startswith("openwhisk:"):
        from coldbench.targets.openwhisk import parse_openwhisk_url

        return parse_openwhisk_url(url)
    if url.startswith("tencent:"):
        from coldbench.targets.tencent import parse_tencent_url

        return parse_tencent_url(url)
    return None
