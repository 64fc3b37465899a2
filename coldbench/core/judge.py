"""From facts to verdicts. Pure: the same facts give the same verdicts.

Evidence is believed in this order (DESIGN.md): explicit cold flag, paid init, instance sequence and age;
what decides is always the same two questions:

1. was this the *first use* of its instance?       flag, paid init, sequence
2. did the request come *before the instance's init had ended*?   queue against age, or the wait

                      before init ended     after
    first use         cold                  preinitialised
    later use         cold_affected         warm

A flag answers only the first question ("first use", not "paid"), so a flag is confirmed with the wait.
A missing field answers nothing: without an answer to both questions the verdict is `unknown`, save where
there is no evidence at all and a latency model learned from the run decides.
"""

from collections.abc import Collection, Sequence

from coldbench.core.by_latency import Told
from coldbench.core.invocation import AnsweredBy, Invocation
from coldbench.core.rounds import PREPARED
from coldbench.core.surroundings import QUIET_NS, Surroundings, survey
from coldbench.core.verdict import ColdKind, Judgement, Verdict
from coldbench.core.waited import EDGE_MS, behind_the_start, explained, held_ms, longer_than_waited

# Of the rules below, written into run.json: a folder judged by older rules is judged again when read.
JUDGE_VERSION = 10

# With nothing to compare, a first use that waited less than this is not said to have waited for a start.
_SHORTEST_START_MS = 50.0
_NO_EVIDENCE = "no evidence"


def judge(invocations: Sequence[Invocation]) -> list[Judgement]:
    """The verdict of each invocation that completed or failed, in order, by evidence; unfinished get none."""
    around = survey(invocations)
    return [
        judge_one(invocation, around[invocation.target])
        for invocation in invocations
        if not invocation.unfinished
    ]


def judge_one(invocation: Invocation, around: Surroundings, told: Told | None = None) -> Judgement:
    """The verdict of one that is not unfinished, among what surrounds it in its target.

    `told` is what the latency model says of it; without that, no evidence means `unknown`.
    """
    evidence = invocation.evidence
    seq = invocation.seq
    did_not_run = _did_not_run(invocation)
    if did_not_run:
        verdict, reason = did_not_run
        confidence = 0.0 if verdict is Verdict.UNKNOWN else 1.0
        return Judgement(seq=seq, verdict=verdict, reason=reason, confidence=confidence)

    first_use, told_by = _first_use(invocation, around)
    if told is not None and told_by == _NO_EVIDENCE and 200 <= (invocation.status or 0) < 300:
        return _by_latency(invocation, told)
    before, shown_by, confidence = _came_before_init_ended(invocation, first_use, around)
    contradiction = _contradiction(invocation, around)
    if first_use is None or before is None:
        reason = shown_by if first_use is not None else told_by
        return Judgement(
            seq=seq, verdict=Verdict.UNKNOWN, reason=reason, confidence=0.0, contradiction=contradiction
        )
    if first_use:
        verdict = Verdict.COLD if before else Verdict.PREINITIALISED
    else:
        verdict = Verdict.COLD_AFFECTED if before else Verdict.WARM
    kind = None
    if verdict is Verdict.COLD and evidence.instance is not None and invocation.sent_ns is not None:
        kind = ColdKind.SCALEOUT if around.instance_was_up(invocation.sent_ns) else ColdKind.IDLE
    return Judgement(
        seq=seq,
        verdict=verdict,
        reason=f"{told_by}; {shown_by}",
        confidence=confidence / 2 if contradiction else confidence,
        cold_kind=_kind(verdict, kind, invocation),
        contradiction=contradiction,
    )


def _did_not_run(invocation: Invocation) -> tuple[Verdict, str] | None:
    """The verdict of an invocation that says nothing about an instance of the function."""
    if invocation.sent_ns is None:
        return Verdict.DISCARDED, f"never sent: {invocation.error}"
    if invocation.error is not None:
        return Verdict.UNKNOWN, f"no whole response: {invocation.error}"
    evidence = invocation.evidence
    match evidence.answered_by:
        case AnsweredBy.THROTTLE:
            return Verdict.THROTTLED, evidence.answered_why or "throttled"
        case AnsweredBy.FAILED_START:
            return Verdict.START_FAILED, evidence.answered_why or "no instance came up"
        case AnsweredBy.CACHE:
            return Verdict.DISCARDED, f"a cache answered: {evidence.answered_why}"
        case AnsweredBy.GATEWAY:
            return Verdict.DISCARDED, f"the platform answered for the function: {evidence.answered_why}"
        case AnsweredBy.UNEXPECTED:
            return Verdict.DISCARDED, f"not the answer expected: {evidence.answered_why}"
        case AnsweredBy.FUNCTION:
            return None
    status = invocation.status or 0
    if status == 429:
        return Verdict.THROTTLED, "status 429"
    if 300 <= status < 400:
        return Verdict.DISCARDED, f"status {status}: a redirect, not followed"
    return None


def function_answered(invocation: Invocation, expected: Collection[int] = ()) -> bool:
    """Whether an instance of the function did, as far as is told.

    Nothing in its place did, and it is no error, save one that says where it ran or that is `expected`: a
    gateway's 404 looks like the function's own.
    """
    if not invocation.completed or _did_not_run(invocation):
        return False
    evidence, status = invocation.evidence, invocation.status or 0
    told = evidence.answered_by is AnsweredBy.FUNCTION or evidence.instance is not None
    return told or 200 <= status < 300 or status in expected


def _kind(verdict: Verdict, kind: ColdKind | None, invocation: Invocation) -> ColdKind | None:
    """The same, save that behind a command that made its target cold a start is that command's."""
    prepared = invocation.phase.endswith(f":{PREPARED}")
    return ColdKind.DEPLOY if verdict is Verdict.COLD and prepared else kind


def _by_latency(invocation: Invocation, told: Told) -> Judgement:
    """The model's verdict; the confidence is P(cold), or P(warm) of a warm one."""
    confidence = 1 - told.probability if told.verdict is Verdict.WARM else told.probability
    return Judgement(
        seq=invocation.seq,
        verdict=told.verdict,
        reason=told.reason,
        confidence=confidence,
        cold_kind=_kind(told.verdict, told.cold_kind, invocation),
    )


def _first_use(invocation: Invocation, around: Surroundings) -> tuple[bool | None, str]:
    """Whether this was the first use of its instance, and what says so."""
    evidence = invocation.evidence
    if evidence.cold_flag is not None:
        return evidence.cold_flag, "flag: first use" if evidence.cold_flag else "flag: not the first use"
    if evidence.init_ms is not None and not evidence.init_is_per_instance:
        return True, f"an init of {evidence.init_ms:g} ms was reported for this invocation"
    if evidence.instance_seq is not None:
        return evidence.instance_seq == 1, f"invocation {evidence.instance_seq} of its instance"
    if evidence.instance is not None:
        return _first_use_by_id(evidence.instance, invocation, around)
    return None, _NO_EVIDENCE


def _first_use_by_id(instance: str, invocation: Invocation, around: Surroundings) -> tuple[bool | None, str]:
    """The same where all that is known is which instance it was: somebody else may have used it before."""
    sent, answered = invocation.sent_ns, around.first_answer_ns(instance)
    if sent is not None and answered is not None and answered < sent:
        doubt = _restarted(invocation, sent, around)
        return (None, doubt) if doubt else (False, "its instance had answered before")
    held, warm = held_ms(invocation, around), around.warm_waits(dialled=invocation.dialled)
    if held is not None and warm is not None and sent == around.first_sent_ns(instance):
        like_warm, unlike_warm = explained(held, warm, None)
        if unlike_warm and not like_warm:
            return True, "its instance was not seen before"
    return None, "an instance id alone does not say whether the caller waited for the instance"


def _restarted(invocation: Invocation, sent_ns: int, around: Surroundings) -> str | None:
    """Why an instance that had answered before may have been started anew under its id: machines and
    containers keep theirs through a stop. None where nothing says so.

    A wait unlike warm ones says so after a silence so long that no call was under way that it may have queued
    behind. After a silence connections are dialled anew: warm waits of either kind are compared.
    """
    held = held_ms(invocation, around)
    kinds = [its for dialled in (True, False) if (its := around.warm_waits(dialled=dialled)) is not None]
    if held is None or not kinds or invocation.evidence.instance_age_ms is not None:
        return None
    warm = min(kinds, key=lambda its: its.median)
    like_warm, unlike_warm = explained(held, warm, None)
    quiet_ns = QUIET_NS + int(1e6 * (held + max(its.high for its in kinds)))
    if like_warm or not unlike_warm or not around.quiet_before(sent_ns, quiet_ns):
        return None
    return (
        f"its instance had answered before, yet after a silence it waited {held:.1f} ms where warm calls "
        f"wait {warm.median:.1f} ms: it may have been started anew under the same id"
    )


def _came_before_init_ended(
    invocation: Invocation, first_use: bool | None, around: Surroundings
) -> tuple[bool | None, str, float]:
    """Whether the request came before its instance's init had ended, what shows it, how surely (0 to 1)."""
    evidence = invocation.evidence
    age, queue = evidence.instance_age_ms, evidence.queue_ms
    held = held_ms(invocation, around)
    # Of a first use: what its caller may have waited for.
    init_ms = evidence.init_ms if first_use else None
    if not (
        age is None
        or queue is None
        or longer_than_waited(queue, invocation, around)
        or behind_the_start(queue, age, held, init_ms)
    ):
        # Both at one instant, the request's arrival at the instance; the queue's beginning by the gateway's
        # clock, which may be another one.
        return queue > age, f"{age:g} ms after the end of init, having queued {queue:g} ms", 1.0
    if held is None or first_use is None:
        return None, "the wait is not known", 0.0
    if age is not None:
        if abs(held - age) <= EDGE_MS:
            return None, f"it came within {EDGE_MS:g} ms of the end of init", 0.0
        shown = (
            f"{age:g} ms after the end of init, {held:.1f} ms of wait not explained by network or execution"
        )
        return held > age, shown, 0.95
    if not first_use:
        return _later_use_before_init_ended(invocation, around)
    warm = around.warm_waits(dialled=invocation.dialled)
    init = evidence.init_ms
    if warm is None and init is None:
        # "First use" is not "paid": an instance may have been started before the call.
        shown = f"waited {held:.1f} ms, with no warm call to compare"
        return (True, shown, 0.6) if held > _SHORTEST_START_MS else (None, f"{shown}: not decided", 0.0)
    beside = "" if warm is None else f" where warm calls wait {warm.median:.1f} ms"
    against = "" if init is None else f" against an init of {init:g} ms"
    shown = f"waited {held:.1f} ms{beside}{against}"
    not_paid, paid = explained(held, warm, init)
    # It may have come when the init was nearly over: a short wait is none only where warm calls wait as long.
    if not_paid and not paid:
        quiet_ns = QUIET_NS + int(2e6 * (init or 0.0))
        if invocation.sent_ns is None or not around.quiet_before(invocation.sent_ns, quiet_ns):
            # Somebody's call may have had this instance started, and moments of its init may have been left.
            return None, f"{shown}, soon after another call", 0.0
        return False, shown, 0.95
    if paid and not not_paid:
        return True, shown, 0.95
    return None, f"{shown}: not decided", 0.0


def _later_use_before_init_ended(
    invocation: Invocation, around: Surroundings
) -> tuple[bool | None, str, float]:
    """The same for a later use without an age: was the instance's own first caller still waiting?"""
    sent = invocation.sent_ns
    if sent is None:
        return None, "the request was not sent", 0.0
    instance = invocation.evidence.instance
    if instance is not None:
        ready = around.first_answer_ns(instance)
        if ready is None:
            return False, "its instance had started before this run's first look at it", 0.9
        if sent < ready:
            return None, "sent while the first caller of its instance still waited", 0.0
        return False, "its instance had already answered when this was sent", 0.99
    if around.cold_in_flight(sent):
        return None, "sent while another caller waited for an instance", 0.0
    return False, "nobody waited for an instance when this was sent", 0.9


def _contradiction(invocation: Invocation, around: Surroundings) -> str | None:
    """Two pieces of evidence of which at most one can be true."""
    evidence = invocation.evidence
    flag, sequence = evidence.cold_flag, evidence.instance_seq
    if flag is not None and sequence is not None and flag != (sequence == 1):
        return f"the flag says {'first' if flag else 'later'} use, the sequence says {sequence}"
    if flag is False and evidence.init_ms is not None and not evidence.init_is_per_instance:
        return f"the flag says later use, yet an init of {evidence.init_ms:g} ms was reported"
    queue, wait = evidence.queue_ms, invocation.wait_ns
    if queue is not None and wait is not None and longer_than_waited(queue, invocation, around):
        return f"having queued {queue:g} ms, yet the caller waited {wait / 1e6:.1f} ms: two clocks"
    instance = evidence.instance
    if instance is not None and invocation.sent_ns is not None and _first_use(invocation, around)[0]:
        answered = around.first_answer_ns(instance)
        if answered is not None and answered < invocation.sent_ns:
            return f"first use, yet instance {instance} had already answered"
    return None
