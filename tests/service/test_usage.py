"""How much was read is written down with what was found in it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from guardray.dataflow.scan import ScanSettings
from guardray.sources.batching import Batch
from guardray.sources.objects import KeyFilter, locate
from guardray.sources.reader import Reader
from guardray.store.database import Database
from guardray.store.usage import usage_of
from guardray.store.usage_schema import USAGE
from tests.service.running import Service, folder_source


def test_all_rows_that_a_service_read_are_in_the_usage_of_their_accounts(settings: ScanSettings, account: Path, state):
    Service(settings, folder_source(account / "AWSLogs"), **state).run()
    database = Database(state["store_url"])
    with database.reading() as connection:
        columns = USAGE.c
        stored = Counter()
        for row in connection.execute(select(columns.source, columns.rows)):
            stored[row.source] += row.rows
        places = connection.execute(select(columns.account_id, columns.region).distinct()).all()
        of_places = Counter()
        for account_id, region in places:
            for (_, source), rows in usage_of(connection, [account_id], region, datetime.now(UTC).date()).items():
                of_places[source] += rows
    database.close()
    read = Counter()
    for item in Reader(settings.limits).read(locate([str(account / "AWSLogs")], KeyFilter())):
        if isinstance(item, Batch):
            read[item.schema.name] += item.frame.height
    assert stored == of_places
    assert stored["vpc-flow"] == read["network_activity"]
    assert stored["dns"] == read["dns_activity"]
    assert stored["cloudtrail-management"] + stored["cloudtrail-s3"] == read["api_activity"]
