"""`--profile FILE.py`: what the command line may say of a user's own Locust file (docs/locustfile.md)."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import fields

from coldbench.cli.targets import TargetOptions
from coldbench.core.errors import UsageError
from coldbench.core.profile import Profile, Users, apply_settings

_DURATION_NS = 30_000_000_000
# What is said of a target, not of its requests; the timeout bounds the wait for what is in flight at the end.
_OF_TARGETS = ("url", "timeout", "cold_header", "instance_header", "expect_status", "no_id", "label")


def is_locustfile(name: str) -> bool:
    """Whether it names a user's own Locust file, not a profile."""
    return name.endswith(".py")


def locustfile_profile(name: str, settings: Sequence[str]) -> Profile:
    """Its load: how many of its users, and how long.

    Raises UsageError for a file that is not there, and for a setting other than of these two.
    """
    path = Path(name)
    if not path.is_file():
        raise UsageError("no such file", place=f"--profile {name}")
    load = Profile(name=path.stem, stages=(Users(users=1, duration_ns=_DURATION_NS),))
    profile = apply_settings(load, settings)
    (stage,) = profile.stages
    if profile.repeat != 1 or not isinstance(stage, Users) or stage.think_ns:
        hint = "the file says the rest itself"
        raise UsageError("of a Locust file, only users and duration can be set", place="--set", hint=hint)
    return profile


def check_own_requests(given: TargetOptions, *, connections: str, shared: bool) -> None:
    """Raises UsageError for an option that would not reach what the file sends."""
    strangers = [
        f"--{field.name}"
        for field in fields(TargetOptions)
        if field.name not in _OF_TARGETS and getattr(given, field.name) != field.default
    ]
    if connections != "reuse":
        strangers.append("--connections")
    if strangers:
        hint = "say it in the file"
        raise UsageError("does not reach the requests of a Locust file", place=strangers[0], hint=hint)
    if shared:
        hint = "--profile NAME or a TOML file can be shared"
        raise UsageError("a Locust file runs in one process", place="--processes", hint=hint)
