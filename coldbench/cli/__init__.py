"""The front door: one file a command. Only here are errors printed, and only here do we exit."""

import os
import sys

from coldbench.core.errors import ColdbenchError, ExitCode


def main() -> None:
    """The console script `coldbench`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Do what the arguments say and return the exit code of the contract."""
    from coldbench.cli.app import Problem, app

    try:
        code = app(arguments or ["--help"], prog_name="coldbench", standalone_mode=False)
        return int(code or ExitCode.DONE)
    except ColdbenchError as error:
        return _say(str(error), error.exit_code)
    except Problem as problem:
        return _say(problem.format_message().replace("\n", " "), ExitCode.USAGE)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # the last door: whatever comes here is a fault of ours
        if os.environ.get("COLDBENCH_DEBUG"):
            raise
        return _say(
            f"a fault of coldbench's own: {type(error).__name__}: {error} (COLDBENCH_DEBUG=1 shows where)",
            ExitCode.FAULT,
        )


def _say(text: str, code: ExitCode) -> int:
    line = " ".join(text.split())
    print(f"coldbench: {line}", file=sys.stderr)  # noqa: T201
    return code
