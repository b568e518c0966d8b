"""Self-hosted threat detection for AWS logs, on Ray, in GuardDuty's own finding types, JSON and API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guardray.client import Client

__version__ = "0.1.0"

__all__ = ["Client"]


def __getattr__(name: str) -> Any:
    """The client, imported when somebody asks for it: the command does not need it, and starts sooner without."""
    if name == "Client":
        from guardray.client import Client

        return Client
    raise AttributeError(f"module 'guardray' has no attribute {name!r}")
