"""The shims that ship, one file a runtime in its own language; `evidence/shim.py` reads what they send."""

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent

# runtime -> the name under which its shim is saved beside a function
FILES: Mapping[str, str] = {
    "python": "coldbench_shim.py",
    "node": "coldbench_shim.mjs",
    "go": "coldbench_shim.go",
    "java": "ColdbenchShim.java",
    "bash": "coldbench_shim.sh",
}


def source(runtime: str) -> str:
    """The shim of a runtime that `FILES` has."""
    return (FOLDER / FILES[runtime]).read_text()
