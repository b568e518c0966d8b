"""Columns that enrichment adds to batches: which end is ours, who acts, and what is known of the other end."""
