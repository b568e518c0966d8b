"""State that outlives every process: shard snapshots and positions as files, which count once the store names them."""
