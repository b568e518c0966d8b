"""Mergeable summaries over keys, as columns."""
