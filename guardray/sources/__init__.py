"""From log files to batches in the normalised schema: finding objects, reading them, decoding each format."""
