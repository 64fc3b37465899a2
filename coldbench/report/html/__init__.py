"""The page of a run: one HTML file that opens offline, with its pictures and their tables."""
