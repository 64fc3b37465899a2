"""Files that are never seen half written."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write the file, or leave what was there and nothing beside it; the user's own alone (mode 600).

    Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
