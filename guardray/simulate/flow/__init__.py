"""VPC Flow Logs: conversations between hosts, the records that interfaces make of them, and the files."""
