"""Ten days of an account: what only a host's history tells is found, and what was always there is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from indicators import store_of_files

from guardray.dataflow.local import LocalEngine
from guardray.dataflow.report import report
from guardray.dataflow.scan import Observer, ScanSettings
from guardray.detectors.loader import load_detectors
from guardray.findings.finding import Finding
from guardray.geo.geography import Geography
from guardray.simulate import Rates
from guardray.simulate.attacks import Scene, egress
from guardray.simulate.benign import Occasion
from guardray.simulate.benign.egress import HARD_NEGATIVES
from guardray.simulate.episodes import Episode
from guardray.simulate.flow.background import background
from guardray.simulate.flow.conversations import CONVERSATION
from guardray.simulate.flow.files import FlowFiles
from guardray.simulate.flow.records import flow_records
from guardray.simulate.indicators import Indicators, write_indicators
from guardray.simulate.labels import Label
from guardray.simulate.layout import Output
from guardray.simulate.period import DAY, DEFAULT_START, HOUR, Period
from guardray.simulate.world import Account, FlowFormat, build_account
from guardray.sources.limits import Limits
from guardray.sources.objects import locate

SEED = 3
PERIOD = Period.of(DEFAULT_START, 10)
RATE = Rates.named("quiet").scaled(0.3)
TYPES = tuple(attack.finding_type for attack in egress.ATTACKS)


def everyday(account: Account) -> pl.DataFrame:
    """What hosts ask of the internet; what others ask of them makes no difference here."""
    hours = (background(account, hour) for hour in PERIOD.pieces(HOUR))
    return pl.concat(hour.filter(pl.col("client_interface") >= 0, pl.col("server_interface") < 0) for hour in hours)


def attacks(account: Account, indicators: Indicators) -> list[Episode]:
    episodes = []
    for attack in egress.ATTACKS:
        room = attack.room(PERIOD)
        assert room
        episodes.append(attack.build(Scene.of(account, indicators, attack, room)))
    return episodes


def harmless(account: Account, indicators: Indicators) -> list[Episode]:
    return [
        what.build(Occasion(account, indicators, what.title, piece, what))
        for what in HARD_NEGATIVES
        for piece in (PERIOD.pieces(DAY) if what.daily else [PERIOD])
    ]


def findings_in(folder: Path, account: Account, episodes: list[Episode]) -> list[Finding]:
    """What is found in ten days of flow records of the account with these episodes."""
    lists = folder / "lists"
    write_indicators(lists, SEED, Indicators.of(SEED))
    settings = ScanSettings(
        detectors=load_detectors(TYPES),
        indicators=store_of_files(lists / "intel.yaml", [], []),
        geography=Geography.load(),
        limits=Limits(lateness=timedelta(days=2)),  # a file holds a whole day
    )
    traffic = pl.concat([CONVERSATION.to_frame(), everyday(account), *(one.traffic for one in episodes)])
    files = FlowFiles(Output(folder / "logs"), account)
    records = flow_records(traffic, account.aggregation_s)
    for day in PERIOD.pieces(DAY):
        of_day = records.filter(pl.col("start").is_between(day.start, day.end, closed="left"))
        files.write_records(of_day, day.end, 0, account.stream("files", day.start))
    result = LocalEngine(settings).scan(locate([str(folder / "logs")], settings.key_filter), Observer())
    findings, problems = report(result, settings, datetime(2026, 6, 1, tzinfo=UTC))
    assert [*result.problems, *problems] == []
    return findings


def is_about(finding: Finding, label: Label) -> bool:
    instance = finding.resource.instance
    assert instance
    names: set[Any] = {instance.instance_id, instance.interface.interface_id}
    in_time = label.start - 600 <= finding.event_first_seen.timestamp() <= label.end
    return finding.type == label.expected and bool(names & set(label.entity)) and in_time


@pytest.mark.parametrize("flow_format", ["default", "custom"])
def test_each_attack_is_found_and_nothing_else(flow_format: FlowFormat, tmp_path: Path):
    account = build_account(SEED, 0, PERIOD, RATE, flow_format)
    indicators = Indicators.of(SEED)
    episodes = attacks(account, indicators)
    labels = [label for one in episodes for label in one.labels]
    findings = findings_in(tmp_path, account, [*episodes, *harmless(account, indicators)])
    missed = [label.case for label in labels if not any(is_about(finding, label) for finding in findings)]
    false = [finding.title for finding in findings if not any(is_about(finding, label) for label in labels)]
    assert (missed, false) == ([], [])


def test_everyday_traffic_and_what_looks_like_attacks_is_quiet(tmp_path: Path):
    account = build_account(SEED, 1, PERIOD, RATE, "custom")
    assert findings_in(tmp_path, account, harmless(account, Indicators.of(SEED))) == []


def test_attacks_keep_to_the_days_after_the_history():
    account = build_account(SEED, 0, PERIOD, RATE, "custom")
    for episode in attacks(account, Indicators.of(SEED)):
        assert episode.traffic["start"].min() >= PERIOD.start + egress.HISTORY_DAYS * DAY
