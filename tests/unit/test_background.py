"""The writer's place behind the load, as the kernel tells it; in a process of its own, which stays behind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import os
from coldbench.engine.background import give_way
give_way()
print(os.nice(0), open("/proc/self/sched").read() if os.path.exists("/proc/self/sched") else "")
"""


def ask() -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    nice, _, told = done.stdout.partition(" ")
    return int(nice), told


def test_it_has_a_lower_priority() -> None:
    nice, _ = ask()
    assert nice >= 10


@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="the kernel does not tell")
def test_it_asks_for_longer_slices_than_others_have() -> None:
    _, told = ask()
    found = re.search(r"se\.slice\s*:\s*(\d+)", told)
    own = re.search(r"se\.slice\s*:\s*(\d+)", Path("/proc/self/sched").read_text(encoding="ascii"))
    if found is None or own is None:
        pytest.skip("a kernel without slices of one's own")
    assert int(found[1]) > int(own[1])
