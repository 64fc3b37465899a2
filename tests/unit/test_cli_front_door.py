"""The front door: what it knows, what it says when something is wrong, and the code it leaves with."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coldbench import __version__
from coldbench.cli import app, run
from coldbench.cli import runs as runs_command
from coldbench.core.errors import CheckFailed, ColdbenchError, ExitCode, NoAnswerError, UsageError

COLDBENCH = Path(sys.executable).with_name("coldbench")


def test_help_lists_every_command_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    for name, what in app.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(what)}$", shown, re.MULTILINE)
    assert run([]) == ExitCode.DONE
    assert capsys.readouterr().out == shown


def test_every_command_has_its_module_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name, what in app.COMMANDS.items():
        assert run([name, "--help"]) == ExitCode.DONE
        assert what in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == ExitCode.DONE
    assert capsys.readouterr().out == f"coldbench {__version__}\n"


def test_help_imports_no_command_and_nothing_that_is_slow() -> None:
    script = (
        "import sys; from coldbench.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    for module in ("rich", "httpx", "numpy", "scipy", "tabulate", "locust", "gevent", "asyncio", "sqlite3"):
        assert module not in imported
    assert not imported & {f"coldbench.cli.{name}" for name in app.COMMANDS}


@pytest.mark.parametrize("command", [["run"], ["report"], ["runs"], ["lab"]])
def test_no_command_imports_gevent(command: list[str]) -> None:
    script = (
        "import sys; from coldbench.cli import run; run([*sys.argv[1:], '--help']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )
    assert f"coldbench.cli.{command[0]}" in done.stderr.split()
    assert not {"gevent", "locust"} & set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rum"], "no such command: rum (did you mean run? "),
        (["zzz"], "no such command: zzz (coldbench --help lists them)"),
        (["--bogus"], "No such option: --bogus"),
        (["run", "--bogus"], "No such option: --bogus"),
        (["run", "--url"], "'--url' requires an argument"),
        (["run", "--seed", "x"], "--seed"),
        (["run", "--seed", "-1"], "--seed"),
        (["run", "--url", "lab:python", "--json", "/"], "expected a file, found a folder"),
        (["report", "a", "b"], "unexpected extra argument"),
        (["report", "--format", "pdf"], "'pdf' is not one of 'terminal', 'text', 'md', 'html', 'json'"),
        (["run", "--url", "a\x1b[31m\nb"], "\\x1b[31m b"),
    ],
)
def test_a_usage_error_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == ExitCode.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("coldbench: ")
    assert said in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("kind", [ColdbenchError, UsageError, NoAnswerError, CheckFailed])
def test_an_error_has_its_exit_code(
    kind: type[ColdbenchError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise kind("it is broken", place="a.toml", hint="mend it")

    monkeypatch.setattr(runs_command, "command", command)
    assert run(["runs"]) == kind.exit_code
    assert capsys.readouterr().err == "coldbench: a.toml: it is broken (mend it)\n"


def test_a_fault_of_ours_is_one_line_and_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(runs_command, "command", command)
    monkeypatch.delenv("COLDBENCH_DEBUG", raising=False)
    assert run(["runs"]) == ExitCode.FAULT
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in shown
    assert "COLDBENCH_DEBUG=1" in shown
    assert shown.count("\n") == 1
    monkeypatch.setenv("COLDBENCH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["runs"])


def test_ctrl_c_is_130_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs_command, "command", command)
    assert run(["runs"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_a_command_listens_is_130_too(number: signal.Signals) -> None:
    script = (
        "import os, sys; from coldbench import cli; from coldbench.cli import runs; "
        f"runs.command = lambda: os.kill(os.getpid(), {number:d}); sys.argv[1:] = ['runs']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == ExitCode.INTERRUPTED
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["--help"], ["runs"]])
def test_a_reader_that_has_gone_is_no_error(arguments: list[str]) -> None:
    with subprocess.Popen([COLDBENCH, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()  # before anything is written: the interpreter has only begun to start
        assert process.stderr.read() == b""
    assert process.returncode == ExitCode.DONE


def test_runs_of_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "--out", str(tmp_path)]) == ExitCode.DONE
    assert "no runs in" in capsys.readouterr().out


def test_a_broken_folder_is_listed_and_hides_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "20261123T105803Z_run_x").mkdir()
    (tmp_path / "20261123T105803Z_run_x" / "run.json").write_text("{")
    assert run(["runs", "--out", str(tmp_path), "--json", "-"]) == ExitCode.DONE
    shown = capsys.readouterr()
    assert json.loads(shown.out) == []
    assert "20261123T105803Z_run_x" in shown.err
    assert "not readable as a run" in shown.err
