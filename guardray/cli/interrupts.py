"""What Ctrl-C does: one line and an exit with 130, however early it is pressed, and an end at once the second time."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED_STATUS = 130
"""128 and the number of the signal, as shells tell it."""


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Makes an interrupt one line on stderr, in place of a traceback, and ends the process.

    From then on another one ends it as the system does, without waiting for anything.
    """
    earlier = sys.unraisablehook

    def but_for_interrupts(raised: sys.UnraisableHookArgs) -> None:
        # Polars raises an interrupt of its own beside Python's, so that one may meet what the other is closing.
        if not issubclass(raised.exc_type, KeyboardInterrupt):
            earlier(raised)

    sys.unraisablehook = but_for_interrupts
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        print("guardray: interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED_STATUS) from None
    finally:
        sys.unraisablehook = earlier
