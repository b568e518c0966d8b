"""The `guardray` command."""

from guardray.cli.interrupts import told_in_one_line

__all__ = ["main"]


def main() -> None:
    """Runs the command, which is loaded only now: that takes a while, in which it may be interrupted."""
    with told_in_one_line():
        from guardray.cli.app import run

        run()
