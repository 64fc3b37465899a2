"""`python -m tests.bench` (`make bench`): coldbench's engine beside the field's clients, in one run.

Both sides interleaved, several rounds, medians and ratios: machines are noisy, absolute figures are not
comparable from one sitting to the next. Writes `docs/performance.md`.
"""
