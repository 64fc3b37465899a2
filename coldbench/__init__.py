"""coldbench: what a serverless function's cold start really costs, and what helps."""

__version__ = "0.1.0"
