"""Locust's entries, fed in bulk, are what its own way of one at a time makes of the same invocations.

In a process of its own: importing Locust changes the one that does it.
"""

import json
import subprocess
import sys

COMPARE = """
import json, random
from locust.stats import RequestStats
from msgspec.structs import astuple
from coldbench.core.messages import RawFact
from coldbench.core.target import Target
from coldbench.engine.locust_stats import LocustStats

random.seed(7)
targets = [Target(name=name, url="http://x/", endpoint="http://x/", method=method)
           for name, method in (("a", "GET"), ("b", "POST"))]
bulk, single = RequestStats(), RequestStats()
feed = LocustStats(bulk, targets)
for batch in range(20):
    facts = []
    for seq in range(random.randrange(1, 60)):
        took_ns = random.choice((None, random.randrange(10**10)))
        error = random.choice((None, None, "reset")) if took_ns is not None else None
        fact = RawFact(
            seq=seq, target=random.randrange(2), phase=0, intended_ns=5, started_ns=7,
            end_ns=None if took_ns is None else 7 + took_ns, error=error,
            body_bytes=None if error else random.randrange(1000),
        )
        facts.append(astuple(fact))
        if took_ns is not None:
            target = targets[fact.target]
            single.log_request(target.method, target.name, took_ns // 10**6, fact.body_bytes or 0)
            if error:
                single.log_error(target.method, target.name, error)
    feed.take(facts)
    if batch % 3 == 1:
        feed.publish()
feed.publish()

def told(stats):
    return [
        [e.name, e.method, e.num_requests, e.num_failures, e.total_response_time, e.min_response_time,
         e.max_response_time, e.total_content_length, sorted(e.response_times.items()),
         sum(e.num_reqs_per_sec.values()), sum(e.num_fail_per_sec.values()),
         e.get_response_time_percentile(0.95)]
        for e in [stats.total, *(stats.entries[key] for key in sorted(stats.entries))]
    ] + sorted((e.name, e.occurrences) for e in stats.errors.values())

print(json.dumps([told(bulk), told(single)]))
"""


def test_totals_are_those_of_one_at_a_time() -> None:
    done = subprocess.run([sys.executable, "-c", COMPARE], capture_output=True, text=True, check=True)
    bulk, single = json.loads(done.stdout)
    assert bulk == single
    assert bulk[0][2] > 200
