"""Threat intelligence: what lists say of addresses and domains, from their files to columns of categories."""
