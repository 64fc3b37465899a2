"""What the doctor says of a target beside its evidence: what looks off, and what to run next."""

from collections.abc import Sequence
from shlex import quote

from coldbench.core.invocation import AnsweredBy, Invocation
from coldbench.core.redact import redact_url
from coldbench.core.target import Target
from coldbench.evidence.sources import pins_an_instance

# A clock that is further off than this makes a common instant for several callers impossible.
_CLOCK_OFF_S = 2.0


def warnings(
    answered: Sequence[Invocation], cookies: Sequence[str], clock_offset_s: tuple[float, float] | None
) -> list[str]:
    """What makes the answers something else than they seem, or the target hard to measure."""
    return [*_answers(answered), *_pinned(cookies), *_clock(clock_offset_s)]


def _answers(answered: Sequence[Invocation]) -> list[str]:
    evidence = [i.evidence for i in answered]
    found = []
    cached = next((one for one in evidence if one.answered_by is AnsweredBy.CACHE), None)
    if cached is not None:
        found.append(f"a cache answered ({cached.answered_why}): the function did not run")
    refused = next((one for one in evidence if one.answered_by is AnsweredBy.UNEXPECTED), None)
    if refused is not None:
        found.append(f"not the function's answer: {refused.answered_why}")
    moved = next((i for i in answered if i.status is not None and 300 <= i.status < 400), None)
    if moved is not None:
        where = moved.evidence.raw.get("location", "nowhere")
        found.append(f"status {moved.status}, a redirect to {where}: it is not followed; use that URL")
    if any(i.status is not None and i.status >= 400 for i in answered):
        found.append("it answers with error statuses: is this the right URL, method and header?")
    if len(answered) > 1 and not any(i.reused for i in answered):
        found.append("connections are not kept alive: each invocation pays for a handshake")
    return found


def _pinned(cookies: Sequence[str]) -> list[str]:
    pinning = [name for name in cookies if pins_an_instance(name)]
    if pinning:
        return [f"the cookies {', '.join(pinning)} pin a caller to one instance; coldbench sends none back"]
    return []


def _clock(offset_s: tuple[float, float] | None) -> list[str]:
    if offset_s is None or (offset_s[0] <= _CLOCK_OFF_S and offset_s[1] >= -_CLOCK_OFF_S):
        return []
    return [f"its clock is off by {offset_s[0]:+.0f} to {offset_s[1]:+.0f} s: one of the two is not set"]


def advice(target: Target, level: int | None) -> list[str]:
    """What to do next, by the evidence level; None: nothing answered."""
    if level is None:
        return ["nothing answered whole: look at the URL, the network and --timeout first"]
    url = quote(redact_url(target.url))
    run = f"coldbench run --url {url} --profile burst --set size=20"
    probe = f"coldbench probe --url {url}"
    if level >= 2:
        return [f"what a cold start is made of: {probe}", f"what a burst meets: {run}"]
    named = "if it sends a cold flag or an instance id under another name: --cold-header, --instance-header"
    shim = "for an exact verdict of each call, put the shim into the function: coldbench shim --help"
    if level == 1:
        return [f"what a cold start costs: {probe}", f"what a burst meets: {run}", named, shim]
    return [
        "the answers tell nothing of the instance: a call is judged by its wait, if it overlaps no other",
        f"what a cold start costs: {probe}",
        named,
        shim,
    ]
