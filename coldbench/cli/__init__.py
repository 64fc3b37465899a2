"""The front door: one file a command. Only here are errors printed, and only here do we exit."""

import os
import signal
import sys
from io import TextIOWrapper

from coldbench.core.errors import ColdbenchError, ExitCode

_COMPLETE = "_COLDBENCH_COMPLETE"  # set by what --show-completion prints


def main() -> None:
    """The console script `coldbench`."""
    # Both ask for an end: the contract has one code for them, and what was started is stopped either way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A name that the terminal's encoding lacks is shown as an escape, and ends nothing.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Do what the arguments say and return the exit code of the contract."""
    from typer import Exit, TyperException

    from coldbench.cli.app import app

    if _COMPLETE in os.environ:
        app(prog_name="coldbench")  # a shell asks what could stand here; this exits

    try:
        try:
            # Not `app()`: that has its own way with Ctrl-C, closed pipes and exit codes.
            with app.make_context("coldbench", arguments or ["--help"]) as context:
                app.invoke(context)
            code = int(ExitCode.DONE)
        except Exit as end:
            code = end.exit_code
        sys.stdout.flush()  # here, so that a closed pipe is met here
        return code
    except ColdbenchError as error:
        return _say(str(error), error.exit_code)
    except TyperException as error:  # a missing option, a value of the wrong type ...
        return _say(error.format_message(), ExitCode.USAGE)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`coldbench runs | head`); let nothing complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except OSError as error:  # a full disk, a folder that has gone: this machine's, and it says which
        if os.environ.get("COLDBENCH_DEBUG"):
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error} (COLDBENCH_DEBUG=1 shows where)", ExitCode.FAULT)
    except Exception as error:  # the last door: whatever comes here is a fault of ours
        if os.environ.get("COLDBENCH_DEBUG"):
            raise
        return _say(
            f"a fault of coldbench's own: {type(error).__name__}: {error} (COLDBENCH_DEBUG=1 shows where)",
            ExitCode.FAULT,
        )


def _say(text: str, code: ExitCode) -> int:
    from coldbench.report.words import shown

    # What is said may quote a server or a file: one line, and nothing that acts on a terminal.
    sys.stderr.write(f"coldbench: {shown(' '.join(text.split()), 1000)}\n")
    return code
