"""Facts become a summary: the one place that composes."""
