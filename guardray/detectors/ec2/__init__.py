"""Finding types about EC2 instances, from flow records and DNS queries."""
