"""Where objects keep arriving: queues, listings, folders and a spool, each with a position to go on from."""
