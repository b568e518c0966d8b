"""The way from batches to findings, as plain classes: no Ray, clock or network inside.

`Ingest` turns batches into sightings and partial aggregates, `Shard` merges and judges them, `scan` runs both over a
set of objects. `guardray.runtime` puts the same classes into Ray actors.
"""
