"""The `guardray` command."""

from guardray.cli.app import main

__all__ = ["main"]
