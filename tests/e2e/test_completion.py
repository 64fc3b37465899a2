"""Completion in a real shell, by the script that we print."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cli import coldbench

BASH = shutil.which("bash")
# What bash does when Tab is pressed behind the words.
PRESS_TAB = """
source completion.sh
COMP_WORDS=($LINE) COMP_CWORD=$(( $(wc -w <<< "$LINE") - 1 ))
_coldbench_completion coldbench
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(BASH is None, reason="NOT TESTED: bash is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("coldbench re", {"report"}),
        ("coldbench ru", {"run", "runs"}),
        ("coldbench run --pro", {"--profile", "--processes"}),
        ("coldbench export --format pa", {"parquet"}),
    ],
)
def test_tab(tmp_path: Path, line: str, offered: set[str]) -> None:
    (tmp_path / "completion.sh").write_text(
        coldbench(
            "--show-completion", "bash", cwd=tmp_path, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
        ).stdout
    )
    program = tmp_path / "coldbench"
    program.write_text(f"#!{sys.executable}\nfrom coldbench.cli import main\nmain()\n")
    program.chmod(0o755)
    pressed = subprocess.run(
        [BASH or "", "-c", PRESS_TAB],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "LINE": line,
            "PYTHONPATH": ":".join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(pressed.stdout.split()) == offered, pressed.stderr
