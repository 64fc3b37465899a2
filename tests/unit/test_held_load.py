"""A load whose facts cannot be kept as fast as they come: late rather than lost, and said.

In a process of its own: importing Locust changes the one that does it. The sink is told to be behind for half
a second; a server in the same process answers at once.
"""

import json
import subprocess
import sys

import pytest

DRIVE = """
import sys, json, time
import gevent
from gevent.server import StreamServer
from locust.env import Environment
from msgspec import msgpack
from coldbench.core.messages import Batch, FrameReader, Order
from coldbench.core.profile import parse_profile
from coldbench.core.schedule import plan
from coldbench.core.share import Share
from coldbench.core.target import Target
from coldbench.engine.drive import Drive
from coldbench.engine.user import Invoker

class Sink:
    idle, broken, behind = True, False, False
    data = b""
    def write(self, data):
        self.data += data

def answer(connection, address):
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi")

server = StreamServer(("127.0.0.1", 0), answer)
server.start()
url = f"http://127.0.0.1:{server.server_port}/"
sink = Sink()
order = Order(run_id="r", plan=plan(parse_profile(sys.argv[1], "held"), 1, 1), drain_ns=10**9,
              targets=(Target(name="f", url=url, endpoint=url),))
drive = Drive(order, Share(), sink)
runner = Environment(user_classes=[Invoker], catch_exceptions=False).create_local_runner()
ticking = gevent.spawn(drive.tick, lambda pulse: None)
drive.reach()
runner.start(drive.users, spawn_rate=drive.users)
gevent.spawn_later(0.2, setattr, sink, "behind", True)
stopped = []
def stop():
    stopped.append(drive.outbox.dispatched)
    drive.stop()
if sys.argv[2:] == ["stop"]:
    gevent.spawn_later(0.4, stop)
else:
    gevent.spawn_later(0.7, setattr, sink, "behind", False)
holds, hold = [], drive.outbox.hold
drive.outbox.hold = lambda stopped: (holds.append(True), hold(stopped))
began = time.monotonic_ns()
drive.perform(began)
ticking.kill()
runner.quit()
drive.outbox.flush()
facts = [fact for payload in FrameReader().feed(sink.data)
         for fact in msgpack.decode(payload, type=Batch).facts]
started = sorted(fact.started_ns - began for fact in facts)
print(json.dumps({
    "intended": drive.finished().intended, "held_ns": drive.finished().held_ns, "facts": len(facts),
    "holds": len(holds), "dispatched": drive.outbox.dispatched, "stopped_at": (stopped or [None])[0],
    "latest_ns": max((fact.started_ns - fact.intended_ns for fact in facts), default=None),
    "silence_ns": max((b - a for a, b in zip(started, started[1:])), default=None),
}))
"""


@pytest.mark.promise(
    "answers come faster than they can be written",
    "the load waits, late rather than lost, and the run says so",
)
@pytest.mark.parametrize(
    ("profile", "late"),
    [
        ('[[stage]]\nkind = "rate"\nrate = 200\nduration = "1s"\n', True),
        ('[[stage]]\nkind = "users"\nusers = 5\nduration = "1s"\n', False),
        ('[[stage]]\nkind = "users"\nusers = 5\nthink = "10ms"\nduration = "1s"\n', False),
        ('[[stage]]\nkind = "idle"\nduration = "300ms"\n[[stage]]\nkind = "burst"\nsize = 20\n', True),
    ],
    ids=["rate", "users", "thinking", "burst"],
)
def test_a_load_waits_for_what_takes_its_facts(profile: str, late: bool) -> None:
    done = subprocess.run([sys.executable, "-c", DRIVE, profile], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["facts"] == said["intended"] > 0
    # How long it was is not asserted: a busy machine adds to it. That it was, and that arrivals count it, is.
    assert said["held_ns"] >= 300e6
    if late:
        assert said["latest_ns"] >= 300e6  # an intended start keeps its instant
    else:
        assert said["latest_ns"] == 0  # users intend when they send
        assert said["silence_ns"] >= 300e6


_IDLE = '[[stage]]\nkind = "idle"\nduration = "300ms"\n'


@pytest.mark.parametrize(
    "profile",
    [
        '[[stage]]\nkind = "rate"\nrate = 200\nduration = "1h"\n',
        '[[stage]]\nkind = "users"\nusers = 50\nduration = "1h"\n',
        '[[stage]]\nkind = "users"\nusers = 50\nthink = "10ms"\nduration = "1h"\n',
        f'{_IDLE}[[stage]]\nkind = "burst"\nsize = 20\n',
    ],
    ids=["rate", "users", "thinking", "burst"],
)
def test_a_stop_ends_a_held_load_and_nothing_more_is_sent(profile: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRIVE, profile, "stop"], capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["dispatched"] == said["stopped_at"] == said["facts"]
    assert said["holds"] <= 2  # one waits for all, and does not ask again and again


def test_a_silence_is_not_held() -> None:
    profile = '[[stage]]\nkind = "rate"\nrate = 50\nduration = "100ms"\n' + _IDLE * 3 + "[[stage]]\n"
    profile += 'kind = "burst"\nsize = 5\n'
    done = subprocess.run([sys.executable, "-c", DRIVE, profile], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["facts"] == 10
    assert said["held_ns"] == 0
