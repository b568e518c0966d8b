"""A real service on a cluster that grows with the load and shrinks after it."""
