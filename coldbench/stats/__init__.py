"""Numbers to estimates. Each estimator names its source."""
