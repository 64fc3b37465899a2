"""How a function's folder is started, and by which contract it is spoken to."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from coldbench.core.errors import ColdbenchError, UsageError
from coldbench.core.function_spec import FunctionSpec


class Contract(StrEnum):
    """Of an instance with its platform."""

    HTTP = "http"  # it listens on $PORT
    RUNTIME_API = "runtime-api"  # it polls $AWS_LAMBDA_RUNTIME_API


class Launch(Struct, frozen=True, kw_only=True):
    """What to execute, in which folder, under which contract."""

    argv: tuple[str, ...]
    folder: str
    contract: Contract
    handler: str = "bootstrap"


def launch(folder: Path, scratch: Path) -> Launch:
    """By `bootstrap`, else `handler.py`, `index.mjs`, `index.js`, `start`, `main.go`. UsageError without any.

    What has to be built for it goes into `scratch`. Raises ColdbenchError when that fails.
    """
    if _executable(folder / "bootstrap"):
        return Launch(argv=("./bootstrap",), folder=str(folder), contract=Contract.RUNTIME_API)
    if (folder / "handler.py").is_file():
        if importlib.util.find_spec("awslambdaric") is None:
            raise UsageError(
                "handler.py needs AWS's runtime client", place=str(folder), hint="pip install awslambdaric"
            )
        return Launch(
            argv=(sys.executable, "-m", "awslambdaric", "handler.handler"),
            folder=str(folder),
            contract=Contract.RUNTIME_API,
            handler="handler.handler",
        )
    for name in ("index.mjs", "index.js"):
        if (folder / name).is_file():
            client = folder / "node_modules" / ".bin" / "aws-lambda-ric"
            if not client.exists():
                raise UsageError(
                    f"{name} needs AWS's runtime client", place=str(folder), hint="npm install aws-lambda-ric"
                )
            return Launch(
                argv=(str(client), "index.handler"),
                folder=str(folder),
                contract=Contract.RUNTIME_API,
                handler="index.handler",
            )
    if _executable(folder / "start"):
        return Launch(argv=("./start",), folder=str(folder), contract=Contract.HTTP)
    if (folder / "main.go").is_file():
        return Launch(argv=(_build_go(folder, scratch),), folder=str(folder), contract=Contract.HTTP)
    raise UsageError(
        "no function here",
        place=str(folder),
        hint="looked for an executable bootstrap, handler.py, index.mjs, index.js, start, main.go",
    )


def environment(spec: FunctionSpec, how: Launch, port: int) -> Mapping[str, str]:
    """A clean environment with what the contracts promise; `port` is the instance's or its Runtime API's."""
    inherited = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    named = inherited | {
        # A function's python3 is the one that runs the lab.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "AWS_LAMBDA_FUNCTION_NAME": Path(spec.folder).name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_REGION": "local",
        "COLDBENCH_HOLD": "1",
        "WEB_CONCURRENCY": str(spec.workers),  # as gunicorn and others take it
    }
    if how.contract is Contract.HTTP:
        return named | {"PORT": str(port), "FC_SERVER_PORT": str(port)}
    return named | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "LAMBDA_TASK_ROOT": how.folder,
        "_HANDLER": how.handler,
    }


def _build_go(folder: Path, scratch: Path) -> str:
    binary = scratch / f"go-{folder.name}-{len(list(scratch.glob('go-*')))}"
    built = subprocess.run(
        ["go", "build", "-o", str(binary), "."],
        cwd=folder,
        env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise ColdbenchError(f"go build failed: {built.stderr.strip()}", place=str(folder))
    return str(binary)


def _executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
