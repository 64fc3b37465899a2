"""A local function platform with known ground truth.

The gateway takes requests on loopback and hands them to instances, real processes that it has started on
demand and reaps when they idle. What each request met is written to the truth file, which nobody who
judges may read.
"""
