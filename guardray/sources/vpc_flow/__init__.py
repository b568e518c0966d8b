"""VPC Flow Logs, as text and as Parquet."""

from guardray.sources.vpc_flow.text import VpcFlowText

__all__ = ["VpcFlowText"]
