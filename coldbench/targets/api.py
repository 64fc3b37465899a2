"""The platforms' own ways to invoke a function, as URL schemes."""

from collections.abc import Callable

from msgspec import Struct

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
