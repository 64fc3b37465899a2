"""Which trials of a lifetime tell something, as tables."""

import pytest
from msgspec.structs import replace

from coldbench.core.invocation import Error, Evidence, Invocation
from coldbench.core.judge import judge
from coldbench.core.lifetime import Role, Trial, TrialTally, Void
from coldbench.core.verdict import Verdict

S = 10**9


def call(
    at_s: float, role: Role, instance: str | None, number: int | None = None, **more: object
) -> Invocation:
    """One that was answered 10 ms later."""
    at_ns = round(at_s * S)
    fields: dict[str, object] = {
        "sent_ns": at_ns,
        "end_ns": at_ns + S // 100,
        "status": 200,
        "evidence": Evidence(instance=instance, instance_seq=number),
    }
    return Invocation(seq=0, target="t", phase=f"0:{role}", intended_ns=at_ns, **(fields | more))  # type: ignore[arg-type]


def only_trial(settled: Invocation, tried: Invocation, verdict: Verdict) -> Trial:
    tally = TrialTally()
    tally.add(settled, Verdict.WARM)
    tally.add(tried, verdict)
    (trial,) = tally.trials
    return trial


@pytest.mark.parametrize(
    ("instance", "number", "verdict", "gone", "void"),
    [
        ("a", 3, Verdict.WARM, False, None),
        ("b", 1, Verdict.COLD, True, None),
        ("b", 1, Verdict.PREINITIALISED, True, None),
        ("a", 5, Verdict.WARM, False, Void.FOREIGN),
        ("b", 7, Verdict.WARM, False, Void.SEVERAL),
        ("b", 2, Verdict.COLD_AFFECTED, None, Void.FOREIGN),
        ("b", None, Verdict.UNKNOWN, True, None),  # an id alone tells one instance from another
        ("a", None, Verdict.UNKNOWN, None, None),  # it may have been started anew under its id
        (None, None, Verdict.UNKNOWN, None, None),
    ],
)
def test_a_trial_is_what_the_answer_and_its_verdict_say(
    instance: str | None, number: int | None, verdict: Verdict, gone: bool | None, void: Void | None
) -> None:
    trial = only_trial(call(1, Role.SETTLE, "a", 2), call(6.01, Role.TRIAL, instance, number), verdict)
    assert (trial.gone, trial.void) == (gone, void)
    assert trial.gap_s == pytest.approx(5.0)


def test_a_gap_in_which_the_machine_slept_is_void() -> None:
    trial = only_trial(call(1, Role.SETTLE, "a", 2), call(6, Role.SLEPT, "b", 1), Verdict.COLD)
    assert trial.void is Void.SLEPT


def test_a_trial_after_a_failed_call_is_void() -> None:
    failed = call(1, Role.SETTLE, None, status=None, error=Error.RESET)
    assert only_trial(failed, call(6, Role.TRIAL, "b", 1), Verdict.COLD).void is Void.FAILED


def test_a_trial_that_began_with_two_instances_is_void_and_the_next_one_is_not() -> None:
    tally = TrialTally()
    for one in (
        call(0, Role.TRIAL, "a", 1),
        call(1, Role.SETTLE, "b", 4),
        call(5, Role.TRIAL, "b", 5),
        call(6, Role.SETTLE, "b", 6),
        call(9, Role.TRIAL, "b", 7),
    ):
        tally.add(one, Verdict.WARM)
    assert [trial.void for trial in tally.trials] == [Void.SEVERAL, None]


def test_an_instance_that_keeps_its_id_through_a_stop_is_not_said_to_have_lived() -> None:
    """As a container that is stopped and started: trials after 60 s wait for it, those after 5 s do not."""
    at_s, facts = 0.0, []
    for gap_s in (5.0, 60.0) * 4:
        for role, after_s in ((Role.SETTLE, 0.1), (Role.SETTLE, 0.1), (Role.TRIAL, gap_s)):
            at_s += after_s
            wait_s = 0.4 if after_s == 60.0 else 0.0045
            sent_ns = round(at_s * S)
            answered_ns = sent_ns + round(wait_s * S)
            facts.append(replace(call(at_s, role, "a"), first_byte_ns=answered_ns, end_ns=answered_ns))
            at_s += wait_s
    tally = TrialTally()
    for fact, judgement in zip(facts, judge(facts), strict=True):
        tally.add(fact, judgement.verdict)
    assert [trial.gone for trial in tally.trials] == [False, None] * 4
