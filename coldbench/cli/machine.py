"""The machine that measures: what must be alike for two runs to be compared."""

import os
import platform


def machine() -> dict[str, object]:
    """System, processor, cores that we may use, Python, and how busy it was; nothing that names its owner."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
    }
