"""`python -m coldbench.engine [FACTS_FD]`: a run's load, or a part of it, as a process of its own.

Standard input brings what is to be done, then perhaps a stop; its end means that the CLI is gone. Standard
output takes messages for the CLI, the descriptor FACTS_FD the facts for the writer (`core.messages`).
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType

import gevent
from locust.runners import Runner

from coldbench.core.crew import Join, Lead
from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.messages import Failed, Order, frame
from coldbench.engine import alone, locustfile, master, worker
from coldbench.engine.inbox import Inbox
from coldbench.engine.outbox import Pipe
from coldbench.runs.process import raise_descriptor_limit

_LOOK_S = 0.02

# What gevent's hub calls with a failed greenlet or watcher, and what it raised.
Fault = Callable[[object, type[BaseException], BaseException, TracebackType | None], None]


def main() -> int:
    """Do what standard input asks for, to its end."""
    # A terminal's Ctrl-C is for the CLI, which says what it means for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("locust").setLevel(logging.WARNING)
    to_cli = Pipe(_claim_stdout())
    from_cli = Inbox()
    try:
        assignment = from_cli.assignment()
        raise_descriptor_limit()
        # We watch ourselves; Locust's own monitor opens files for it, and ends the run where none are left.
        # Replacing a method is what mypy exists to forbid; Locust leaves no other way.
        Runner.monitor_cpu_and_memory = _unmonitored  # type: ignore[method-assign,assignment]
        # A fault in a callback must not pass for a timeout.
        gevent.get_hub().handle_error = _fatal(to_cli)
        match assignment:
            case Order(locustfile=None):
                alone.run(assignment, from_cli, to_cli, Pipe(int(sys.argv[1])))
            case Order():
                locustfile.run(assignment, from_cli, to_cli, Pipe(int(sys.argv[1])))
            case Lead():
                master.run(assignment, from_cli, to_cli, Pipe(int(sys.argv[1])))
            case Join():
                worker.run(assignment, from_cli, to_cli)
            case None:
                return 1
    except ColdbenchError as error:
        usage = isinstance(error, UsageError)
        to_cli.write(frame(Failed(message=error.message, hint=error.hint, place=error.place, usage=usage)))
        return 1
    finally:
        while not to_cli.idle:
            gevent.sleep(_LOOK_S)
    return 0


def _unmonitored(runner: Runner) -> None:
    """In place of a greenlet that looks for ever."""


def _claim_stdout() -> int:
    """Keep standard output for messages; whatever else prints goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def _fatal(to_cli: Pipe) -> Fault:
    def handle(
        context: object, kind: type[BaseException], value: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, (gevent.GreenletExit, SystemExit)):
            return
        sys.excepthook(kind, value, trace)
        to_cli.write(frame(Failed(message=f"the engine failed: {kind.__name__}: {value}")))
        to_cli.flush()
        os._exit(1)

    return handle


if __name__ == "__main__":
    sys.exit(main())
