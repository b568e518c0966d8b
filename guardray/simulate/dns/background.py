"""Names that hosts ask for on an ordinary day."""

from __future__ import annotations

import numpy as np
import polars as pl

from guardray.simulate.addresses import public_address, public_addresses
from guardray.simulate.dns.queries import QUERIES, queries, question
from guardray.simulate.period import Period
from guardray.simulate.randomness import pick, token
from guardray.simulate.rendering import address, hex_words
from guardray.simulate.rhythm import MACHINES, times
from guardray.simulate.world import Account

SHARE_REVERSE, SHARE_REPUTATION, SHARE_TELEMETRY = 0.03, 0.02, 0.02
AWS_SERVICES = ("s3", "sqs", "dynamodb", "kms", "secretsmanager", "sts", "ssm", "logs", "monitoring", "ec2messages")
_OTHERS = (
    "pixelharbor",
    "fastlane-cdn",
    "paygrove",
    "mailwren",
    "mapquill",
    "fontshed",
    "tagtrail",
    "logpine",
    "chatbrook",
)
_HOSTS = ("api", "cdn", "edge-7", "static", "events", "auth", "eu1.ingest", "img.assets", "hooks")


def background(account: Account, day: Period) -> pl.DataFrame:
    """The queries of this day."""
    rng = account.stream("dns", day.start)
    usual = pl.Series(usual_questions(account))
    parts = [QUERIES.to_frame()]
    for position, host in enumerate(account.interfaces):
        if not host.instance or host.launched >= day.end or host.ended <= day.start:
            continue
        running = Period(max(day.start, host.launched), min(day.end, host.ended))
        at = times(rng, account.rates.lookups_per_host_hour, running, MACHINES)
        favourites = account.stream("favourite names", host.kind).permutation(len(usual))
        chosen = favourites[np.minimum((len(usual) * rng.random(len(at)) ** 3).astype(int), len(usual) - 1)]
        asked = usual.gather(chosen)
        parts += [queries(rng, at, position, asked), _unusual(account, running, position, rng)]
    return pl.concat(parts)


def usual_questions(account: Account) -> list[str]:
    """Names that come up every day, most with an alias before the addresses, some in both address families."""
    rng = account.stream("usual names")
    found = []
    for service in AWS_SERVICES:
        name = f"{service}.{account.region}.amazonaws.com"
        found += [question(name, "A", _public(rng, 2)), question(name, "AAAA", (), "NOERROR")]
        found.append(question(f"{name}.{account.region}.compute.internal", "A"))
    for bucket in account.buckets:
        found.append(
            question(
                f"{bucket.name}.s3.{account.region}.amazonaws.com",
                "A",
                (f"s3-r-w.{account.region}.amazonaws.com.", *_public(rng, 3)),
            )
        )
    for company in _OTHERS:
        for host in rng.permutation(_HOSTS)[:4]:
            alias = f"{token(rng, 13)}.cloudfront.example."
            found.append(question(f"{host}.{company}.example", "A", (alias, *_public(rng, 4))))
            found.append(
                question(f"{host}.{company}.example", "AAAA", (alias, f"2001:db8:{token(rng, 4)}::{token(rng, 3)}"))
            )
    for name in ("www", "api", "db.internal", "cache.internal", "queue.internal"):
        answer = ("10.16.4.20",) if "internal" in name else _public(rng, 2)
        found.append(question(f"{name}.{account.domain}", "A", answer))
    found.append(question(account.domain, "MX", (f"10 mx1.{account.domain}.",)))
    found.append(question(account.domain, "TXT", ("v=spf1 include:_spf.mailwren.example -all",)))
    found.append(question("_ldap._tcp.dc._msdcs.corp.internal", "SRV"))
    return found


def _public(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    return tuple(address(int(number)) for number in public_addresses(rng, n))


def _unusual(account: Account, running: Period, position: int, rng: np.random.Generator) -> pl.DataFrame:
    """Names that are new each time: reverse lookups, file reputations, telemetry with long labels."""
    rate = account.rates.lookups_per_host_hour
    reverse = times(rng, rate * SHARE_REVERSE, running)
    reputation = times(rng, rate * SHARE_REPUTATION, running)
    telemetry = times(rng, rate * SHARE_TELEMETRY, running)
    return pl.concat(
        [
            queries(rng, reverse, position, [_reverse(rng) for _ in reverse]),
            queries(
                rng,
                reputation,
                position,
                named_by(hex_words(rng, len(reputation), 40), "{}.files.avquill.example", "127.0.0.1"),
            ),
            queries(
                rng,
                telemetry,
                position,
                named_by(hex_words(rng, len(telemetry), 24), "{}.beacon.logpine.example", "10.0.0.1"),
            ),
        ]
    )


def _reverse(rng: np.random.Generator) -> str:
    number = public_address(rng)
    name = ".".join(reversed(address(number).split(".")))
    known = rng.random() < 0.5
    return question(
        f"{name}.in-addr.arpa", "PTR", (f"host-{token(rng, 6)}.{pick(rng, _OTHERS)}.example.",) if known else ()
    )


def named_by(words: pl.Series, name: str, answer: str) -> pl.Series:
    """One question a word, the word put into the name."""
    before, after = question(name, "A", (answer,)).split("{}")
    return pl.select(pl.concat_str([pl.lit(before), words, pl.lit(after)])).to_series()
