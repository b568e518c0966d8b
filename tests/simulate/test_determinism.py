"""Equal arguments give equal files, and one part of the world does not move another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from guardray.simulate import simulate

from .conftest import DAYS, RATE, SEED, Logs


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_give_the_same_bytes(logs: Logs, tmp_path: Path) -> None:
    simulate(tmp_path / "again", accounts=2, days=DAYS, seed=SEED, rate=RATE)
    assert digests(tmp_path / "again") == digests(logs.folder)


def test_another_seed_gives_other_accounts(logs: Logs, tmp_path: Path) -> None:
    other = simulate(tmp_path / "other", accounts=1, days=DAYS, seed=SEED + 1, rate=RATE)
    assert not set(other.accounts) & set(logs.summary.accounts)


def test_first_account_stays_the_same_when_there_are_more(logs: Logs, tmp_path: Path) -> None:
    one = simulate(tmp_path / "one", accounts=1, days=DAYS, seed=SEED, rate=RATE)
    prefix = f"AWSLogs/{one.accounts[0]}/"
    of_two = {name: digest for name, digest in digests(logs.folder).items() if name.startswith(prefix)}
    assert {name: digest for name, digest in digests(one.folder).items() if name.startswith(prefix)} == of_two


def test_everyday_logs_stay_the_same_without_attacks(logs: Logs, peaceful: Logs) -> None:
    """Background and attacks draw from streams of their own: what differs is what the attacks add."""
    quiet = {(q["query_timestamp"], q["srcaddr"], q["query_name"], q["srcport"]) for q in peaceful.queries}
    assert quiet < {(q["query_timestamp"], q["srcaddr"], q["query_name"], q["srcport"]) for q in logs.queries}
    assert len(peaceful.events) < len(logs.events)
    assert len(peaceful.flows) < len(logs.flows)
