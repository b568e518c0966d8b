"""Self-hosted threat detection for AWS logs, on Ray, in GuardDuty's own finding types, JSON and API."""

__version__ = "0.1.0"
