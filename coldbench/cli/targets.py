"""From the command line to targets: names, headers, bodies, and the lab's addresses."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any, get_type_hints

from msgspec import Struct
from msgspec.structs import fields, replace

from coldbench.cli import options
from coldbench.cli.curl import parse_curl
from coldbench.cli.headers import TOKEN, read_file, read_headers
from coldbench.core.durations import parse_duration
from coldbench.core.errors import UsageError
from coldbench.core.redact import redact_url
from coldbench.core.request import address
from coldbench.core.target import Signing, Target
from coldbench.targets.api import Api, parse_api_url

_NAMED = re.compile(r"([A-Za-z0-9_.-]+)=(.+)", re.DOTALL)
LAB = "lab:"
_FORM = "application/x-www-form-urlencoded"


class TargetOptions(Struct, frozen=True, kw_only=True):
    """What the command line says of its targets, as typed: the options that `with_targets` adds."""

    url: options.Url = None
    method: options.Method = None
    header: options.Header = None
    data: options.Data = None
    timeout: options.Timeout = "60s"
    insecure: options.Insecure = False
    resolve: options.Resolve = None
    cold_header: options.ColdHeader = None
    instance_header: options.InstanceHeader = None
    platforms: options.Platforms = None
    expect_status: options.ExpectStatus = None
    expect_body: options.ExpectBody = None
    no_id: options.NoId = False
    aws_sigv4: options.AwsSigv4 = None
    curl: options.Curl = None
    label: options.Label = None


def with_targets(command: Callable[..., None]) -> Callable[..., None]:
    """Makes typer's command of `command(given, ...)`: an option for each field of TargetOptions in its place.

    typer makes options of a function's parameters, and has no way to share a group of them.
    """
    _, *own = signature(command).parameters.values()
    hints = get_type_hints(TargetOptions, include_extras=True)
    shared = [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
        for field in fields(TargetOptions)
    ]

    def taking_all(**values: Any) -> None:
        command(TargetOptions(**{field.name: values.pop(field.name) for field in shared}), **values)

    # What inspect, and so typer, looks at first (PEP 362); mypy knows no such attribute of a function.
    taking_all.__signature__ = Signature(  # type: ignore[attr-defined]
        [*shared, *(parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own)]
    )
    return taking_all


def read_targets(
    given: TargetOptions, *, runtimes: Sequence[str] = (), connections: str = "reuse"
) -> tuple[Target, ...]:
    """The targets in order, with unique names. The endpoint of a `lab:` target is still its URL."""
    if given.curl is not None:
        given = _with_curl(given, given.curl)
    if not given.url:
        raise UsageError("nothing to invoke", hint="say what with --url https://... or --url lab:python")
    if connections not in ("reuse", "fresh"):
        raise UsageError(f"expected reuse or fresh, got {connections!r}", place="--connections")
    timeout_ns = parse_duration(given.timeout, place="--timeout")
    if not timeout_ns:
        raise UsageError("expected a duration above 0", place=f"--timeout {given.timeout}")
    method = given.method or ("GET" if given.data is None else "POST")
    if not TOKEN.fullmatch(method):
        raise UsageError("not the name of a method", place=f"--method {method!r}")
    own_platforms = _platforms(given.platforms)
    names: list[str] = []
    targets = []
    headers, secrets = read_headers(given.header or [])
    body = _body(given.data)
    typed = "content-type" in {name.lower() for name, _ in headers}
    for text in given.url:
        own_name, url = _split_name(text)
        runtime = _lab_runtime(url)
        api = parse_api_url(url)
        if api is not None and given.method is not None:
            raise UsageError("a platform's API has its own", place=f"--method {given.method}")
        # Read even where the name is given: a URL that is none is said before anything is started.
        default_name = runtime or (address(url).host if api is None else api.name)
        name = _unique(own_name or default_name, names, given=own_name is not None)
        names.append(name)
        # As curl has it; an API takes events.
        content_type = _FORM if api is None else "application/json"
        untyped = not typed and (api is not None or given.data is not None)
        targets.append(
            Target(
                name=name,
                url=url,
                endpoint=url,
                method=method.upper(),
                headers=(*headers, ("Content-Type", content_type)) if untyped else headers,
                secrets=secrets,
                body=body,
                runtime=runtime,
                timeout_ns=timeout_ns,
                verify_tls=not given.insecure,
                resolve=dict(_resolution(text) for text in given.resolve or []),
                cold_header=given.cold_header,
                instance_header=given.instance_header,
                platforms=own_platforms,
                expect_status=_statuses(given.expect_status),
                expect_body=given.expect_body or None,
                send_id=not given.no_id,
                signing=_signing(given.aws_sigv4, url, plain=api is None and runtime is None),
                fresh_connections=connections == "fresh",
            )
        )
        if api is not None:
            targets[-1] = _through(api, targets[-1])
    return _with_factors(_labelled(targets, runtimes), given.label or [])


def _signing(text: str | None, url: str, *, plain: bool) -> Signing | None:
    if text is None:
        return None
    if not plain:
        raise UsageError(
            "only http(s) URLs are signed so", place=f"--aws-sigv4 {text}", hint=f"not {redact_url(url)}"
        )
    from coldbench.targets.aws import parse_sigv4

    return parse_sigv4(text, url)


def _through(api: Api, target: Target) -> Target:
    """Through the platform's API: what it wants to be sent, and which of its answers are the function's."""
    return replace(
        target,
        endpoint=api.endpoint,
        api=api.platform,
        method="POST",
        headers=(*api.headers, *target.headers),
        body=target.body if api.body_of is None else api.body_of(target.body),
        expect_status=target.expect_status or (200,),
        signing=api.signing,
        evidence_body_bytes=api.evidence_body_bytes,
    )


def _with_curl(given: TargetOptions, command: str) -> TargetOptions:
    """The same with what the pasted command says, as if it had been said by our own options."""
    said = parse_curl(command)
    for name, text in (("url", said.url), ("method", said.method), ("data", said.data)):
        if text is not None and getattr(given, name) is not None:
            raise UsageError("the pasted command says it, too", place=f"--{name}", hint="say it once")
    return replace(
        given,
        url=[said.url],
        method=given.method or said.method,
        header=[*said.headers, *(given.header or [])],
        data=given.data if said.data is None else said.data,
        insecure=given.insecure or said.insecure,
        resolve=[*said.resolve, *(given.resolve or [])],
    )


@contextmanager
def reachable(targets: Sequence[Target]) -> Iterator[tuple[Target, ...]]:
    """The same targets with their endpoints; the lab runs as long as the context does."""
    if not any(target.url.startswith(LAB) for target in targets):
        yield tuple(targets)
        return
    from coldbench.targets.lab import parse_lab_url, start_lab

    local = [index for index, target in enumerate(targets) if target.url.startswith(LAB)]
    with start_lab([parse_lab_url(targets[index].url) for index in local]) as lab:
        endpoints = dict(zip(local, lab.endpoints, strict=True))
        yield tuple(
            replace(target, endpoint=endpoints.get(index, target.url)) for index, target in enumerate(targets)
        )


def _split_name(text: str) -> tuple[str | None, str]:
    named = _NAMED.fullmatch(text)
    return (named[1], named[2]) if named else (None, text)


def _lab_runtime(url: str) -> str | None:
    if not url.startswith(LAB):
        return None
    from coldbench.targets.lab import parse_lab_url

    return parse_lab_url(url).runtime


def _unique(name: str, taken: Sequence[str], *, given: bool) -> str:
    if name not in taken:
        return name
    if given:
        raise UsageError(f"two targets are called {name}", place="--url", hint="give each its own NAME=URL")
    return next(numbered for n in range(2, len(taken) + 3) if (numbered := f"{name}-{n}") not in taken)


def _body(data: str | None) -> bytes:
    if data is None:
        return b""
    return read_file(data[1:], "--data") if data.startswith("@") else data.encode()


def _platforms(file: Path | None) -> str | None:
    """The user's own table, known to be one."""
    if file is None:
        return None
    from coldbench.evidence.platforms import platforms

    own = str(file.absolute())
    platforms(own)
    return own


def _statuses(text: str | None) -> tuple[int, ...]:
    codes = [] if text is None else text.split(",")
    if not all(re.fullmatch("[2-5][0-9][0-9]", code) for code in codes):
        raise UsageError(f"expected status codes such as 200 or 200,404, got {text}", place="--expect-status")
    return tuple(map(int, codes))


def _resolution(text: str) -> tuple[str, str]:
    host, _, rest = text.partition(":")
    port, _, where = rest.partition(":")
    if not (host and port.isdigit() and where):
        raise UsageError(f"expected HOST:PORT:ADDR, got {text}", place="--resolve")
    return f"{host.lower()}:{port}", where.strip("[]")


def _labelled(targets: list[Target], labels: Sequence[str]) -> tuple[Target, ...]:
    for text in labels:
        name, label = _split_name(text)
        _check_name(name, targets, "--runtime")
        targets = [
            replace(target, runtime=label) if name in (None, target.name) else target for target in targets
        ]
    return tuple(targets)


def _with_factors(targets: Sequence[Target], labels: Sequence[str]) -> tuple[Target, ...]:
    factors = {target.name: dict(target.labels) for target in targets}
    for text in labels:
        where, equals, value = text.partition("=")
        # A target's name may have dots of its own, a key has none.
        name, _, key = where.rpartition(".")
        if not (equals and key and value):
            raise UsageError(f"expected [NAME.]KEY=VALUE, got {text}", place="--label")
        _check_name(name or None, targets, "--label")
        for its in [factors[name]] if name else factors.values():
            its[key] = value
    return tuple(replace(target, labels=factors[target.name]) for target in targets)


def _check_name(name: str | None, targets: Sequence[Target], place: str) -> None:
    names = [target.name for target in targets]
    if name is not None and name not in names:
        raise UsageError(f"no target is called {name}", place=place, hint=f"there are {', '.join(names)}")
