"""What the engine told of a run, as the record has it."""

from coldbench.cli.following import Outcome, as_told
from coldbench.core.messages import Finished
from tests.unit.report_runs import PYTHON, run_of


def test_the_words_of_a_task_have_no_secrets_of_its_url() -> None:
    words = "HTTPError: 401 for url: https://u:hunter2@h/?token=hunter2"
    finished = Finished(
        intended=1,
        connections_opened=1,
        cpu_pct_max=None,
        held_ns=0,
        interrupted=False,
        task_failures={words: 3},
    )
    (note,) = as_told(run_of(PYTHON), Outcome(finished=finished)).notes
    assert note == "a task failed 3 times: HTTPError: 401 for url: https://REDACTED@h/?token=REDACTED"
