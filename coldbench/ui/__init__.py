"""A page over the reports folder, for one browser on this machine. It changes nothing of a run."""
