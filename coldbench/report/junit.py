"""Checks as JUnit XML, which CI systems show beside the tests."""

from collections.abc import Sequence

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from coldbench.core.summary import Checked, Outcome
from coldbench.report.words import shown


def junit(title: str, checks: Sequence[Checked]) -> bytes:
    """A suite with a case for each check at each target; what did not pass is a failure."""
    suite = TestSuite(shown(title))
    for check in checks:
        case = TestCase(shown(check.check), classname=shown(check.target or "counts"))
        if check.outcome is not Outcome.PASSED:
            case.result = [Failure(f"{check.outcome}: {_seen(check)}", check.outcome.value)]
        suite.add_testcase(case)
    xml = JUnitXml("coldbench")
    xml.add_testsuite(suite)
    # junitparser declares types, but not of this.
    written: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return written


def _seen(check: Checked) -> str:
    seen = "not observed, or withheld" if check.seen is None else f"{check.seen:,.6g} seen"
    return seen if check.n is None else f"{seen}, n = {check.n:,}"
