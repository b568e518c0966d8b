"""What `guardray doctor` looks at, a module for each subject; each check is a function that gives one `Check`."""

from guardray.cli.checks.check import Check, Status, fail, ok, warn

__all__ = ["Check", "Status", "fail", "ok", "warn"]
