"""The vocabulary and the judgement. Pure: no I/O, no clock, no framework."""
