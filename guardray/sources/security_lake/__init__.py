"""Parquet files: Security Lake's OCSF events, and flow logs that AWS delivers as Parquet."""

from guardray.sources.security_lake.decode import decode_parquet

__all__ = ["decode_parquet"]
