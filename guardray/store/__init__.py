"""What outlives a run: findings and the epochs that made them, in SQLite or PostgreSQL."""
