"""The writer behind the load: less of a busy core, and not in the way of what wakes there.

A low priority alone is not enough. Since Linux 6.6 a process that has begun its slice of a core keeps it
while others wake up: the function under test, the lab, a server on the same core waited milliseconds for the
writer, and all connections with it. A process that asks for longer slices than those who wake gives way to
them at once (PREEMPT_SHORT, since Linux 6.12): its share stays the same, its turns are longer and rarer.
"""

import ctypes
import os
import platform
import struct
import sys

# At 19 a busy machine would keep facts from the disk for seconds.
_NICE = 10
# The kernel's own is 1.4 to 3 ms. With 100 ms the load gained nothing any more: the turns become too rare.
_SLICE_NS = 10_000_000
# struct sched_attr of its first version (sched_setattr(2)): size, policy, flags, nice, priority, runtime,
# deadline, period. Under SCHED_OTHER the runtime is the slice; kernels before 6.12 pass over it.
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
_SCHED_OTHER = 0
# C libraries have no name for it before glibc 2.41; asm/unistd.h of each machine.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}


def give_way() -> None:
    """From here on this process is in the background, as far as the system offers it."""
    nice = os.nice(_NICE)
    number = _SCHED_SETATTR.get(platform.machine())
    # By the number of a 64-bit kernel a 32-bit process would call something else.
    if platform.system() == "Linux" and number is not None and sys.maxsize > 1 << 32:
        attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, _SCHED_OTHER, 0, nice, 0, _SLICE_NS, 0, 0)
        # What a kernel refuses makes no difference but in speed.
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
