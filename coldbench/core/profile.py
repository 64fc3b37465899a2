"""A profile: what a run does, stage by stage, as a page of TOML says it.

description = "Three bursts of 100 invocations, each after 30 s of silence"
repeat = 3
[[stage]]
kind = "idle"
duration = "30s"
[[stage]]
kind = "burst"
size = 100
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Literal, get_args

from msgspec import Struct, structs

from coldbench.core.errors import UsageError
from coldbench.core.profile_keys import AUTO_NS, PROFILE_KEYS, STAGE_KEYS, Key


class Idle(Struct, frozen=True, kw_only=True, tag_field="kind", tag="idle"):
    """Nothing is sent; all targets share the silence."""

    duration_ns: int


class Burst(Struct, frozen=True, kw_only=True, tag_field="kind", tag="burst"):
    """`size` invocations as simultaneous as the machine can."""

    size: int


class Rate(Struct, frozen=True, kw_only=True, tag_field="kind", tag="rate"):
    """Open model: `rate` arrivals per second."""

    rate: float
    duration_ns: int
    arrivals: Literal["uniform", "poisson"] = "uniform"


class Ramp(Struct, frozen=True, kw_only=True, tag_field="kind", tag="ramp"):
    """Open model: arrivals per second that go linearly from one rate to another."""

    rate_from: float
    rate_to: float
    duration_ns: int


class Users(Struct, frozen=True, kw_only=True, tag_field="kind", tag="users"):
    """Closed model: each user invokes, waits for the answer, thinks, and invokes again."""

    users: int
    duration_ns: int
    think_ns: int = 0


class Trace(Struct, frozen=True, kw_only=True, tag_field="kind", tag="trace"):
    """Open model: recorded arrivals; `file` is relative to the profile's own folder (`core.trace`)."""

    file: str


Stage = Idle | Burst | Rate | Ramp | Users | Trace


class Profile(Struct, frozen=True, kw_only=True):
    """Its stages are performed in order, the whole of them `repeat` times."""

    name: str
    description: str = ""
    repeat: int = 1
    stages: tuple[Stage, ...]


def kind_of(stage: Stage) -> str:
    """Its kind as the TOML says it, for instance `burst`."""
    return str(stage.__struct_config__.tag)


_STAGE_OF_KIND: dict[str, type[Stage]] = {stage.__struct_config__.tag: stage for stage in get_args(Stage)}


def parse_profile(text: str, place: str) -> Profile:
    """The profile that the TOML `text` describes; it is called as its file is.

    `place` is the file as the user knows it. Raises UsageError that names the file, the stage (from 1),
    the key, and what was expected.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not TOML: {error}", place=place) from None
    tables = document.pop("stage", None)
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError("expected [[stage]] tables, at least one", place=place)
    settings = _fields(document, PROFILE_KEYS, place, "a profile")
    stages = tuple(_stage(table, f"{place}: stage {number}") for number, table in enumerate(tables, 1))
    if all(isinstance(stage, Idle) for stage in stages):
        hint = _choice(kind for kind in STAGE_KEYS if kind != "idle")
        raise UsageError("expected a stage that invokes", place=place, hint=hint)
    return Profile(name=PurePath(place).stem, stages=stages, **settings)


def _stage(table: Mapping[str, object], place: str) -> Stage:
    fields = dict(table)
    kind = fields.pop("kind", None)
    if kind is None:
        raise UsageError("missing", place=f"{place}: kind", hint=_choice(STAGE_KEYS))
    if not isinstance(kind, str) or kind not in STAGE_KEYS:
        hint = _nearest(kind, STAGE_KEYS)
        raise UsageError(f"unknown kind {_shown(kind)}", place=f"{place}: kind", hint=hint)
    return _STAGE_OF_KIND[kind](**_fields(fields, STAGE_KEYS[kind], place, kind))


def _fields(values: Mapping[str, object], keys: Mapping[str, Key], place: str, whose: str) -> dict[str, Any]:
    """The record's fields by name; nothing unknown, nothing required missing."""
    for name in values:
        if name not in keys:
            hint = _nearest(name, keys)
            raise UsageError(f"unknown key of {whose}", place=f"{place}: {name}", hint=hint)
    for name, key in keys.items():
        if key.required and name not in values:
            raise UsageError(f"missing; expected {key.expected}", place=f"{place}: {name}")
    return {keys[name].field: _read(keys[name], value, f"{place}: {name}") for name, value in values.items()}


def _read(key: Key, value: object, place: str) -> Any:
    read = key.read(value)
    if read is None:
        raise UsageError(f"expected {key.expected}, got {_shown(value)}", place=place)
    return read


def apply_settings(profile: Profile, settings: Sequence[str]) -> Profile:
    """The profile with each `--set` applied, in order.

    `KEY=VALUE` sets the key in every stage that has it, `KIND.KEY=VALUE` in the stages of one kind,
    `repeat=N` the number of repeats. Raises UsageError when nothing has the key or the value does not fit.
    """
    for setting in settings:
        profile = _apply(profile, setting)
    return profile


def with_idle(profile: Profile, auto_ns: Callable[[], int]) -> Profile:
    """The profile with each silence of `auto` as long as `auto_ns` says, which is asked only then."""
    stages = tuple(
        structs.replace(stage, duration_ns=auto_ns())
        if isinstance(stage, Idle) and stage.duration_ns == AUTO_NS
        else stage
        for stage in profile.stages
    )
    return structs.replace(profile, stages=stages)


def _apply(profile: Profile, setting: str) -> Profile:
    place = f"--set {setting}"
    name, equals, text = setting.partition("=")
    if not equals:
        raise UsageError("expected KEY=VALUE", place=place)
    value = _number_or_text(text)
    if name == "repeat":
        return structs.replace(profile, repeat=_read(PROFILE_KEYS[name], value, place))
    keys = [_key_called(name, stage) for stage in profile.stages]
    if not any(keys):
        settable = {
            f"{kind_of(stage)}.{key}" for stage in profile.stages for key in STAGE_KEYS[kind_of(stage)]
        }
        hint = f"to set: repeat, {', '.join(sorted(settable))}"
        raise UsageError(f'nothing in profile {profile.name} is called "{name}"', place=place, hint=hint)
    stages = tuple(
        stage if key is None else structs.replace(stage, **{key.field: _read(key, value, place)})
        for key, stage in zip(keys, profile.stages, strict=True)
    )
    return structs.replace(profile, stages=stages)


def _key_called(name: str, stage: Stage) -> Key | None:
    kind, _, key = name.rpartition(".")
    return STAGE_KEYS[kind_of(stage)].get(key) if kind in ("", kind_of(stage)) else None


def _number_or_text(text: str) -> object:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _shown(value: object) -> str:
    """As the user wrote it, near enough, and not longer than a line."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _nearest(name: object, known: Iterable[str]) -> str:
    near = get_close_matches(str(name), known, n=1)
    return f"did you mean {near[0]}? {_choice(known)}" if near else _choice(known)


def _choice(known: Iterable[str]) -> str:
    return f"there is: {', '.join(known)}"
