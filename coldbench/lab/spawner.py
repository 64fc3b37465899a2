"""`python -m coldbench.lab.spawner`: starts and ends instances for the gateway, one JSON line a message.

A process of its own, so that starting fifty instances never holds the gateway's clock: a request's
arrival is stamped by a loop that does nothing slow. It owns the instances: when its standard input ends
the gateway is gone, and all of them are killed.

    gateway -> {"start": ID, "argv": [...], "env": {...}, "cwd": "..."}      {"kill": ID}
    gateway <- {"spawned": ID, "at_us": N}      {"exit": ID, "code": N, "words": "..."}
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from typing import Any

from coldbench.lab.clock import now_us, seconds

_LAST_WORDS = 4096
_GRACE_S = 0.5
_NICE = 10
# Linux: an instance dies with its spawner even where nobody is left to kill it.
_SETPRIV = shutil.which("setpriv") if sys.platform == "linux" else None
_WITH_PARENT = [_SETPRIV, "--pdeathsig", "KILL"] if _SETPRIV else []

_instances: dict[str, asyncio.subprocess.Process] = {}
_tasks: set[asyncio.Task[None]] = set()


async def main() -> None:
    """Do what the gateway says until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Instances inherit it: fifty that start at once must not take the CPU from the gateway and the
    # generator, which a cloud would not have on the function's machine.
    os.nice(_NICE)
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        message = json.loads(line)
        if "start" in message:
            await _start(message)
        else:
            _spawn_task(_kill(message["kill"]))
    for process in _instances.values():
        _signal(process, signal.SIGKILL)
    # Their ends are awaited: a loop that closes over open processes complains.
    await asyncio.gather(*_tasks)


async def _start(message: dict[str, Any]) -> None:
    identity = message["start"]
    at_us = now_us()
    _say({"spawned": identity, "at_us": at_us})
    try:
        process = await asyncio.create_subprocess_exec(
            *_WITH_PARENT,
            *message["argv"],
            env=message["env"] | {"COLDBENCH_PROCESS_STARTED": seconds(at_us)},
            cwd=message["cwd"],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # A group, to be killed whole; not a session: Linux shares the CPU by sessions first
            # (sched(7), autogroup), and fifty of them would leave the gateway a fiftieth.
            process_group=0,
        )
    except OSError as error:
        _say({"exit": identity, "code": -1, "words": str(error)})
        return
    _instances[identity] = process
    _spawn_task(_follow(identity, process))


async def _follow(identity: str, process: asyncio.subprocess.Process) -> None:
    """Keep the instance's last words and say when it has ended."""
    assert process.stdout
    words = b""
    while data := await process.stdout.read(_LAST_WORDS):
        words = (words + data)[-_LAST_WORDS:]
    code = await process.wait()
    _instances.pop(identity, None)
    _signal(process, signal.SIGKILL)  # what it may have left in its group
    _say({"exit": identity, "code": code, "words": words.decode("utf-8", "replace")})


async def _kill(identity: str) -> None:
    process = _instances.get(identity)
    if process is None:
        return
    _signal(process, signal.SIGTERM)
    await asyncio.sleep(_GRACE_S)
    if process.returncode is None:
        _signal(process, signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _spawn_task(work: Any) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _say(message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
