"""Sigma rules for CloudTrail: pySigma reads them, and their conditions become the SQL that our own rules are in."""
