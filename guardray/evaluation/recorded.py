"""Recorded attacks of others, moved into a simulated account and into its days.

Who made the calls becomes somebody of the account, at a place that intruders come from; what was called, with what, and
in which order stays. Recordings are read where they lie, and are no part of this project.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from guardray.simulate.attacks.scene import BEHAVIOUR_OF_CALLERS
from guardray.simulate.episodes import Episode, TimedCall
from guardray.simulate.evaluation import ATTACKS_FROM_DAY, Happening
from guardray.simulate.evaluation.happening import Place
from guardray.simulate.labels import Label
from guardray.simulate.randomness import pick
from guardray.simulate.trail.events import Call, caller

PLACES: tuple[Place, ...] = ("data centre", "VPN", "cloud", "same country")

SHARE = 1 / 3
"""Of the recordings, how many an account meets: an account that is broken into every day knows no peace to learn in."""

Event = dict[str, Any]


class Recordings:
    """Attacks that a labels file names, each with its events.

    Args:
        folder: with `labels/cloudtrail.csv` and the files that it names; where it is missing there are no recordings,
            and `missing` says so.
    """

    def __init__(self, folder: Path | None) -> None:
        self.attacks: list[tuple[str, str, list[tuple[str, Event]]]] = []
        self.missing = ""
        labels = None if folder is None else folder / "labels" / "cloudtrail.csv"
        if folder is None or labels is None or not labels.is_file():
            self.missing = f"no recorded attacks: there is no folder {folder} with labels of them"
            return
        with labels.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for name, chosen in _by_recording(rows).items():
            if events := list(_events(folder, chosen)):
                self.attacks.append((name, chosen[0]["technique"], events))

    def episodes(self, at: Happening) -> list[Episode]:
        """Some of them, each at a random time after the first two weeks, by somebody of the account."""
        return [
            _moved(Happening(at.account, at.indicators, f"recorded {name}", at.piece), technique, events)
            for name, technique, events in self.attacks
            if at.rng.random() < SHARE
        ]


def _by_recording(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Rows about single events, of attacks that have a finding type of behaviour, by recording."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        name = Path(row["file"]).name.removesuffix(".json.gz") if "stratus" in row["file"] else "sans504"
        if row["selector_type"] == "event_id" and "AnomalousBehavior" in row["expected"]:
            found.setdefault(name, []).append(row)
    return found


def _events(folder: Path, rows: list[dict[str, str]]) -> Iterator[tuple[str, Event]]:
    """Finding type and event, in the order of time, each event once."""
    wanted = {row["selector"]: row["expected"].split(";")[0] for row in rows}
    events: dict[str, Event] = {}
    for path in sorted({folder / row["file"] for row in rows}):
        if path.is_file():
            records = json.loads(gzip.decompress(path.read_bytes()))["Records"]
            events |= {one["eventID"]: one for one in records if one.get("eventID") in wanted}
    for one in sorted(events.values(), key=lambda event: event["eventTime"]):
        yield wanted[one["eventID"]], one


def _moved(at: Happening, technique: str, events: list[tuple[str, Event]]) -> Episode:
    who, source = at.person(users=True), at.place(pick(at.rng, PLACES))
    start = at.at(at.day(ATTACKS_FROM_DAY), at.rng.uniform(0, 22))
    first = _seconds(events[0][1])
    made, by_type = [], dict[str, list[TimedCall]]()
    for finding_type, event in events:
        by = caller(at.session(who, start), source, str(event.get("userAgent") or who.sdk).strip("[]"))
        one = TimedCall(start + _seconds(event) - first, by, _call(event))
        made.append(one)
        by_type.setdefault(finding_type, []).append(one)
    arn = who.arn(at.account.id)
    labels = tuple(
        Label(
            at.account.id,
            of[0].time,
            of[-1].time,
            technique,
            expected=finding_type,
            collateral=BEHAVIOUR_OF_CALLERS,
            actor=arn,
            entity=(arn, who.principal_id),
            remote=(of[0].by.source,),
            case=f"{at.account.id} {at.name}",
            note=f"recorded; {len(of)} calls",
        )
        for finding_type, of in by_type.items()
    )
    return Episode(labels, tuple(made))


def _seconds(event: Event) -> float:
    return datetime.fromisoformat(event["eventTime"].replace("Z", "+00:00")).timestamp()


def _call(event: Event) -> Call:
    error = (str(event["errorCode"]), str(event.get("errorMessage", ""))) if event.get("errorCode") else None
    return Call(
        event["eventSource"].removesuffix(".amazonaws.com"),
        event["eventName"],
        event.get("requestParameters"),
        event.get("responseElements"),
        error=error,
        is_data=event.get("eventCategory") == "Data" or event.get("managementEvent") is False,
    )
