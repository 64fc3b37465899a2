"""`python -m tests.bench.server DELAY_MS`: answers each request after an exact delay and logs what it saw.

One epoll loop. The delay counts from the request's arrival by the kernel's stamp, so that the loop's own
wake-up is within it. It prints its port; at the end of its input it prints the arrivals, ns of the monotonic
clock, and how late each answer left (its own error), one JSON line.
"""

import heapq
import json
import select
import socket
import sys
import time

from coldbench.engine.arrival import ANCILLARY_BYTES, WallClock, arrived_ns, stamp_arrivals

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
    b'Server-Timing: init;dur=340.2, age;dur=5000.4, seq;desc="12", inst;desc="a", exec;dur=5.1\r\n'
    b"\r\nhello world\n"
)
_SPIN_NS = 1_000_000


def main() -> None:
    delay_ns = int(float(sys.argv[1]) * 1e6)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    epoll.register(sys.stdin, select.EPOLLIN)
    print(listener.getsockname()[1], flush=True)
    connections: dict[int, socket.socket] = {}
    due: list[tuple[int, int]] = []
    wall_clock, arrivals = WallClock(), list[int]()
    late: list[int] = []
    while True:
        now = time.monotonic_ns()
        while due and due[0][0] <= now:
            at, fd = heapq.heappop(due)
            if fd in connections:
                late.append(time.monotonic_ns() - at)
                connections[fd].send(RESPONSE)
            now = time.monotonic_ns()
        left_ns = due[0][0] - now if due else 10**9
        for fd, _ in epoll.poll(0 if left_ns < _SPIN_NS else (left_ns - _SPIN_NS) / 1e9):
            if fd == listener.fileno():
                while True:
                    try:
                        accepted, _ = listener.accept()
                    except BlockingIOError:
                        break
                    accepted.setblocking(False)
                    stamp_arrivals(accepted)
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connections[accepted.fileno()] = accepted
                    epoll.register(accepted, select.EPOLLIN)
            elif fd == 0:
                print(json.dumps({"arrivals": arrivals, "late": late}), flush=True)
                return
            else:
                try:
                    data, stamps, _, _ = connections[fd].recvmsg(65536, ANCILLARY_BYTES)
                except ConnectionError:
                    data = b""
                if not data:
                    connections.pop(fd).close()
                    continue
                arrived = arrived_ns(stamps, time.monotonic_ns(), *wall_clock.look())
                arrivals.append(arrived)
                if delay_ns:
                    heapq.heappush(due, (arrived + delay_ns, fd))
                else:
                    connections[fd].send(RESPONSE)


if __name__ == "__main__":
    main()
