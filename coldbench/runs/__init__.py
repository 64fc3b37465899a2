"""The run folder: `run.json` (what was asked and found) and `samples.db` (every invocation's facts)."""
