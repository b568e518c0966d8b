"""Detections of one's own: rules in SQL, in Python and of Sigma, read from files and run beside the others."""
