"""A run's invocations for other programs, each format in its own terms."""
