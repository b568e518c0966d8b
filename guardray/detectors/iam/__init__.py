"""Finding types about credentials: the `IAMUser` types of GuardDuty, from CloudTrail management events."""
