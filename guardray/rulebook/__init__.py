"""Detections of one's own as they are run: loaded, and proven by their examples."""
