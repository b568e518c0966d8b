"""Who is at the other end: threat indicators, and the columns that enrichment adds to batches."""
