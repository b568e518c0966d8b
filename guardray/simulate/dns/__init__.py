"""Route 53 Resolver query logs: names that hosts ask for, and the files."""
