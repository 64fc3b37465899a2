"""How long unused instances of a target live, as far as that is known before anything is sent."""

from collections.abc import Iterator, Sequence

from coldbench.cli.platform import platform_by_url
from coldbench.cli.targets import LAB
from coldbench.core.durations import format_duration
from coldbench.core.errors import UsageError
from coldbench.core.profile import Idle, Profile
from coldbench.core.target import Target

_MARGIN = 1.2


def lifetime_ns(target: Target) -> tuple[int, int] | None:
    """The shortest and the longest: the lab's own, or that of the platform whose URL it is."""
    if target.url.startswith(LAB):
        from coldbench.targets.lab import parse_lab_url

        idle_ns = parse_lab_url(target.url).idle_ns
        return idle_ns, idle_ns
    known = platform_by_url(target)
    if known is None or known.idle_s is None:
        return None
    low, high = known.idle_s
    return round(low * 1e9), round(high * 1e9)


def auto_idle_ns(targets: Sequence[Target]) -> int:
    """A silence that outlasts unused instances of all targets. UsageError where nothing is known of one."""
    longest = 0
    for target in targets:
        lives = lifetime_ns(target)
        if lives is None:
            raise UsageError(
                f"nothing is known of how long instances of {target.name} live",
                place="idle.duration = auto",
                hint="say how long, --set idle.duration=10m, or find out: coldbench lifetime",
            )
        longest = max(longest, lives[1])
    return round(_MARGIN * longest)


def idle_lines(profile: Profile, targets: Sequence[Target]) -> Iterator[str]:
    """Of each target whose instances are likely to outlive the silence before a stage."""
    silences = [stage.duration_ns for stage in profile.stages if isinstance(stage, Idle)]
    for target in targets:
        lives = lifetime_ns(target)
        if lives is None or not silences or max(silences) >= lives[1]:
            continue
        lifetime = " to ".join(dict.fromkeys(map(format_duration, lives)))
        yield (
            f"      idle {format_duration(max(silences))} is below the {lifetime} that unused instances of "
            f"{target.name} live: use --set idle.duration=auto, or --prepare"
        )
