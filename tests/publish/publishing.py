"""A process that publishes until it is killed: `python publishing.py STORE CONFIG`."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from guardray.publish.destinations import read_destinations
from guardray.publish.publisher import Publisher
from guardray.store.outbox import Outbox

if __name__ == "__main__":
    store, config = sys.argv[1], Path(sys.argv[2])
    with Outbox.open(store) as outbox:
        Publisher(read_destinations(config), outbox, config.parent, lease=timedelta(seconds=3)).run()
