"""Findings: what a detector saw, folded into GuardDuty's finding, and written as its JSON."""
