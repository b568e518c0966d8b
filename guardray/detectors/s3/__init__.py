"""Finding types about buckets: the `S3` types of GuardDuty, from CloudTrail management and S3 data events."""
