"""How real traffic is judged: captures of usual days, most of them to learn from, and attacks on the same hosts.

An attack happens on each host of each usual capture, on the day after, and no host knows of the others.

`python -m guardray.evaluation.traffic --usual FILE... --attack FILE...` prints what came of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from guardray.detectors.declare import ActivityDetector, Detector
from guardray.detectors.ec2 import outbound
from guardray.evaluation.captures import FIRST_DAY, as_days, on_day, write
from guardray.evaluation.markdown import table
from guardray.evaluation.observed import Observed, behaviour_detectors, observe
from guardray.evaluation.variants import Variant, run
from guardray.findings.sighting import Sighting

LEARNED, JUDGED = 14, 7
"""Days that hosts are learned for, and days of the same capture on which everything that is told of is false. A server
that hardly connects to anything itself needs twice a week until it is known on as many days as detectors ask for."""

_ACTIVITY = outbound.ACTIVITY.name
_HOST = "resource_uid"


@dataclass(frozen=True)
class Usual:
    """What came of a capture that nobody attacked.

    Attributes:
        hosts: that were known well enough to be judged.
        rows: of the days that were judged, where connections of a host to a port of another are one row a day.
        false: what was told of them.
    """

    name: str
    hosts: tuple[str, ...]
    rows: int
    false: tuple[Sighting, ...]


@dataclass(frozen=True)
class Attacked:
    """What came of an attack.

    Attributes:
        name: of its capture.
        on: of the capture that its hosts are from.
        ports: server ports that are looked at, of connections that came about.
        hosts: on so many it was put.
        found: finding type to how many of them it was told of.
    """

    name: str
    on: str
    ports: tuple[int, ...]
    hosts: int
    found: Mapping[str, int]


def flow_detectors() -> tuple[Detector, ...]:
    """Detectors that know what an instance connects to."""
    known = (one for one in behaviour_detectors() if isinstance(one, ActivityDetector))
    return tuple(one for one in known if one.activity is outbound.ACTIVITY)


def judged(usual: Sequence[Path], attacks: Sequence[Path], variant: Variant) -> tuple[list[Usual], list[Attacked]]:
    """Learn on the first days of each usual capture, and judge its others, and each attack on each of its hosts.

    Args:
        usual, attacks: flow logs with a header, packed or not.
        variant: how days are judged.

    Raises:
        UsageError: a file is no such log.
    """
    with TemporaryDirectory(prefix="guardray-captures-") as folder:
        harms = {path: _rows(on_day(path, LEARNED + JUDGED), Path(folder)) for path in attacks}
        quiet, harmed = [], []
        for path in usual:
            days = _rows(as_days(path, LEARNED, JUDGED), Path(folder))
            hosts, since = _known(days), FIRST_DAY + timedelta(days=LEARNED)
            false = _told(days, LEARNED + JUDGED, variant)
            quiet.append(Usual(_name(path), hosts, days.filter(pl.col("window_start") >= since).height, false))
            harmed += [_attacked(days, hosts, path, harm, of, variant) for of, harm in harms.items()]
    return quiet, harmed


def _rows(records: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Rows of the activity, read as those of any log."""
    write(records, folder / "flows.log")
    observed = observe([str(folder / "flows.log")], flow_detectors(), state=folder / "state")
    return observed.activities.get(_ACTIVITY, pl.DataFrame())


def _known(days: pl.DataFrame) -> tuple[str, ...]:
    """Hosts with connections on as many days as detectors ask for."""
    seen = days.group_by(_HOST).agg(pl.col("window_start").n_unique().alias("days"))
    return tuple(seen.filter(pl.col("days") >= outbound.LEARNED_DAYS)[_HOST].drop_nulls().sort())


def _told(rows: pl.DataFrame, days: int, variant: Variant) -> tuple[Sighting, ...]:
    return tuple(
        run(variant, Observed({_ACTIVITY: rows}, (), rows.height), flow_detectors(), FIRST_DAY, days).sightings
    )


def _attacked(
    days: pl.DataFrame, hosts: Sequence[str], usual: Path, harm: pl.DataFrame, attack: Path, variant: Variant
) -> Attacked:
    found: dict[str, set[str]] = {}
    ports: list[int] = []
    if harm.height:
        ports = harm["remote_port"].drop_nulls().unique().sort().to_list()
        moved = [harm.with_columns(pl.lit(host).alias(_HOST)) for host in hosts]
        since = FIRST_DAY + timedelta(days=LEARNED + JUDGED)
        for one in _told(pl.concat([days, *moved]), LEARNED + JUDGED + 1, variant):
            if one.last_seen >= since:
                found.setdefault(one.key.finding_type, set()).add(one.latest.row[_HOST])
    counts = {kind: len(of) for kind, of in sorted(found.items())}
    return Attacked(_name(attack), _name(usual), tuple(ports), len(hosts), counts)


def _name(path: Path) -> str:
    return path.name.partition(".")[0]


def tables(quiet: Sequence[Usual], harmed: Sequence[Attacked]) -> str:
    """What came of them, in Markdown."""
    usual = [(one.name, len(one.hosts), JUDGED, one.rows, len(one.false)) for one in quiet]
    attacks = [
        (one.name, one.on, one.hosts, _listed(one.ports), "; ".join(f"{kind}: {n}" for kind, n in one.found.items()))
        for one in harmed
    ]
    return "\n\n".join(
        (
            table(("usual days of", "hosts", "days judged", "rows", "told of"), usual),
            table(("attack", "on hosts of", "hosts", "ports that are looked at", "told of, on hosts"), attacks),
        )
    )


def _listed(ports: Sequence[int]) -> str:
    shown = ", ".join(str(port) for port in ports[:6])
    return f"{shown} and {len(ports) - 6} more" if len(ports) > 6 else shown or "none"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, by rules alone and as shipped."""
    parser = argparse.ArgumentParser(prog="python -m guardray.evaluation.traffic", description=__doc__)
    parser.add_argument("--usual", type=Path, nargs="+", required=True, help="flow logs of hosts that nobody attacked")
    parser.add_argument("--attack", type=Path, nargs="*", default=[], help="flow logs of attacks, each on its own")
    options = parser.parse_args(arguments)
    for variant in (
        Variant("rules alone", "rules"),
        Variant("shipped", "both", trained_on=(LEARNED, LEARNED + JUDGED)),
    ):
        quiet, harmed = judged(options.usual, options.attack, variant)
        print(f"## {variant.name}\n\n{tables(quiet, harmed)}\n")
        for one in (one for usual in quiet for one in usual.false):
            print(f"- {one.key.finding_type}: {one.latest.row[_HOST]}, port {one.latest.row['remote_port']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
