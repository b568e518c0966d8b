"""The benchmark: bare decode and end to end on the same files and the same cores, in one run."""
