"""What feeds and lists become: which copy is used, and what a feed that breaks does to it."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from intel.feed_server import cut_chunk, drip, endless, half, ok, redirect, running, silent, status

from guardray.errors import UsageError
from guardray.intel import compiled as compiled_module
from guardray.intel.copies import RETRY, CopyState, FeedCopies, is_due
from guardray.intel.feeds import Feed
from guardray.intel.fetched import Limits
from guardray.intel.library import load_indicators, update

NOW = datetime(2024, 5, 1, tzinfo=UTC)
TEN = "".join(f"198.18.{n}.0/24\n9.9.9.{n}\n" for n in range(10, 20))  # of which the first are not public


@pytest.fixture
def server():
    with running() as feeds:
        yield feeds


@pytest.fixture
def load(tmp_path):
    """Loads with the library in a folder of the test's own."""

    def load_with(feeds_file=None, threat_lists=(), trusted_lists=(), *, offline=False):
        return load_indicators(feeds_file, threat_lists, trusted_lists, tmp_path / "data", offline=offline)

    return load_with


@pytest.fixture
def feeds_file(tmp_path):
    def written(*feeds):
        path = tmp_path / "intel.yaml"
        path.write_text(json.dumps({"feeds": feeds}))
        return path

    return written


def feed(url, **options):
    return {"name": "bad", "url": url, "kind": "ip", "category": "c2", "allow_private_addresses": True, **options}


def struct(url, **options):
    return Feed(**feed(url, **options))


def was_checked_long_ago(folder):
    (file,) = folder.rglob("meta.json")
    file.write_text(re.sub(r'("checked_at": )"[^"]+"', r'\1"2024-01-01T00:00:00Z"', file.read_text()))


def said(store, value):
    return [one.category for one in (*store.ip_indicators(value), *store.domain_indicators(value))]


def copies_in(folder, limits=None):
    return FeedCopies(folder, limits)


def test_nothing_given_is_an_empty_store_and_writes_nothing(load, tmp_path):
    store, notices = load()
    assert (store.has_addresses, store.has_domains, notices) == (False, False, [])
    assert not (tmp_path / "data").exists()


def test_a_remote_feed_is_fetched_and_used(server, load, feeds_file):
    store, notices = load(feeds_file(feed(server.serve(ok("9.9.9.9\n")))))
    assert said(store, "9.9.9.9") == ["c2"]
    assert notices == []


def test_a_feed_is_not_asked_for_again_before_its_time(server, load, feeds_file):
    file = feeds_file(feed(server.serve(ok("9.9.9.9\n")), refresh="1h"))
    load(file)
    load(file)
    assert len(server.requests) == 1


def test_offline_nothing_is_fetched_and_the_copy_is_used(server, load, feeds_file, tmp_path):
    file = feeds_file(feed(server.serve(ok("9.9.9.9\n"))))
    store, notices = load(file, offline=True)
    assert not store.has_addresses
    assert notices == ["feed bad is left out: it was never fetched"]
    load(file)
    was_checked_long_ago(tmp_path)
    server.pages.clear()
    store, notices = load(file, offline=True)
    assert store.has_addresses
    assert notices == []


def test_a_feed_that_breaks_is_used_as_it_was(server, load, feeds_file, tmp_path):
    file = feeds_file(feed(server.serve(ok("9.9.9.9\n"))))
    load(file)
    was_checked_long_ago(tmp_path)
    server.serve(status(500))
    store, notices = load(file)
    assert said(store, "9.9.9.9") == ["c2"]
    assert notices == ["feed bad is used as it was: the server answers 500 Internal Server Error"]


def test_a_feed_that_never_worked_is_left_out_and_the_others_are_used(server, load, feeds_file):
    other = feed(server.serve(ok("8.8.4.4\n"), "/other"), name="good")
    store, notices = load(feeds_file(feed(server.serve(status(404))), other))
    assert said(store, "8.8.4.4") == ["c2"]
    assert notices == ["feed bad is left out: the server answers 404 Not Found"]


def test_many_feeds_without_a_copy_are_told_of_in_one_line(server, load, feeds_file):
    far = [feed(server.serve(status(404), f"/{name}"), name=name) for name in "abcd"]
    _, notices = load(feeds_file(*far), offline=True)
    assert notices == [
        "4 feeds are left out, for there is no copy (a, b, c, d); guardray intel list says why",
    ]


def test_local_feeds_and_own_lists_are_read_directly(load, feeds_file, tmp_path):
    (tmp_path / "c2.txt").write_text("9.9.9.9\nbad.example.com\n")
    (tmp_path / "mine.csv").write_text("Indicator type, Indicator, Description\nDomain name, evil.example.net, x\n")
    (tmp_path / "ours.txt").write_text("8.8.8.8\n")
    file = feeds_file({"name": "local", "url": "c2.txt", "kind": "any", "category": "c2"})
    store, notices = load(file, [tmp_path / "mine.csv"], [tmp_path / "ours.txt"])
    assert notices == []
    assert said(store, "9.9.9.9") == said(store, "bad.example.com") == ["c2"]
    assert said(store, "8.8.8.8") == ["trusted"]
    assert [one.name for one in store.lists] == ["local", "mine", "ours"]


def test_a_local_file_without_indicators_is_refused_by_name(load, tmp_path):
    (tmp_path / "mine.txt").write_text("nothing of use here\n")
    with pytest.raises(UsageError, match=r"mine\.txt: no public address"):
        load(threat_lists=[tmp_path / "mine.txt"])
    with pytest.raises(UsageError, match="cannot be read"):
        load(threat_lists=[tmp_path / "other.txt"])


def test_a_large_store_is_built_once(load, tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_module, "WORTH_KEEPING", 2)
    own = tmp_path / "mine.txt"
    own.write_text("9.9.9.9\n8.8.8.8\n")
    first, _ = load(threat_lists=[own])
    monkeypatch.setattr("guardray.intel.formats.parse", None)  # nothing is parsed
    again, _ = load(threat_lists=[own])
    assert again.version == first.version
    assert len(list((tmp_path / "data/intel/versions").iterdir())) == 1


def test_a_changed_list_is_built_anew(load, tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_module, "WORTH_KEEPING", 1)
    own = tmp_path / "mine.txt"
    for address in ("9.9.9.9", "9.9.9.10", "9.9.9.11", "9.9.9.12", "9.9.9.13"):
        own.write_text(address)
        store, _ = load(threat_lists=[own])
        assert said(store, address) == ["custom"]
    assert len(list((tmp_path / "data/intel/versions").iterdir())) == 3  # the newest and two before it


def test_a_damaged_store_is_built_anew(load, tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_module, "WORTH_KEEPING", 1)
    own = tmp_path / "mine.txt"
    own.write_text("9.9.9.9\n")
    load(threat_lists=[own])
    (file,) = (tmp_path / "data/intel/versions").rglob("*.arrow")
    file.write_bytes(b"damaged")
    store, _ = load(threat_lists=[own])
    assert said(store, "9.9.9.9") == ["custom"]
    assert file.stat().st_size > 100


def test_a_folder_that_cannot_be_written_is_told_of_and_the_lists_are_used(load, tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_module, "WORTH_KEEPING", 1)
    (tmp_path / "data").write_text("a file where the folder would be")
    own = tmp_path / "mine.txt"
    own.write_text("9.9.9.9\n")
    store, (notice,) = load(threat_lists=[own])
    assert store.has_addresses
    assert notice.startswith("lists will be read again next time")


def test_a_folder_that_cannot_be_written_keeps_feeds_from_updates(server, load, feeds_file, tmp_path):
    (tmp_path / "data").write_text("a file where the folder would be")
    store, notices = load(feeds_file(feed(server.serve(ok("9.9.9.9\n")))))
    assert not store.has_addresses
    assert "so no feed is updated" in notices[0]


class TestCopies:
    """The copy of a remote feed."""

    def test_what_is_known_of_it_is_kept(self, server, tmp_path):
        copies = copies_in(tmp_path)
        one = struct(server.serve(ok("9.9.9.9\n#\nnothing\n", ETag='"1"')))
        outcome = copies.update(one, NOW)
        state = copies.state(one)
        assert (outcome.status, outcome.entries, outcome.before) == ("updated", 1, 0)
        assert (state.entries, state.skipped, state.skipped_lines) == (1, 1, (3,))
        assert (state.etag, state.fetched_at, state.checked_at, state.last_error) == ('"1"', NOW, NOW, None)
        assert copies.content(one) == b"9.9.9.9\n#\nnothing\n"

    def test_an_unchanged_feed_is_looked_after_but_not_fetched(self, server, tmp_path):
        copies = copies_in(tmp_path)
        one = struct(server.serve(ok("9.9.9.9\n", ETag='"1"')))
        copies.update(one, NOW)
        outcome = copies.update(one, NOW + timedelta(days=2))
        assert outcome.status == "unchanged"
        assert server.requests[-1]["if-none-match"] == '"1"'
        assert copies.state(one).fetched_at == NOW
        assert copies.state(one).checked_at == NOW + timedelta(days=2)

    @pytest.mark.parametrize(
        ("page", "reason"),
        [
            (status(500), "the server answers 500"),
            (ok(""), "is empty"),
            (ok("# nothing today\n"), "no public address"),
            (ok("<html>Sign in</html>"), "is an HTML page"),
            (half(TEN.encode()), "the connection broke"),
            (cut_chunk(TEN.encode()), "the connection broke"),
            (endless(), "has more than 100,000 bytes"),
            (silent(1.0), "the server sent nothing for 0.4 s"),
            (drip(), "took longer than 0.8 s"),
            (redirect("ftp://9.9.9.9/list"), "is not an http:// or https:// URL"),
            (ok(b"\x1f\x8bdamaged"), "cannot be unpacked"),
            (ok("9.9.9.9\n"), "has 1 entries, and had 20 before"),
        ],
    )
    def test_a_bad_answer_leaves_the_copy_as_it_is(self, server, tmp_path, page, reason):
        copies, hasty = copies_in(tmp_path), copies_in(tmp_path, Limits(connect_s=2, read_s=0.4, total_s=0.8))
        good = "".join(f"9.9.9.{n}\n" for n in range(20))
        one = struct(server.serve(ok(good, ETag='"1"')), max_bytes=100_000)
        copies.update(one, NOW)
        server.serve(page)
        outcome = hasty.update(one, NOW + timedelta(days=2))
        assert (outcome.status, outcome.entries) == ("failed", 20)
        assert reason in outcome.reason
        assert copies.content(one) == good.encode()
        assert copies.state(one).last_error == outcome.reason
        assert copies.state(one).etag == '"1"'

    def test_a_redirect_to_a_private_address_leaves_the_copy_as_it_is(self, server, tmp_path, monkeypatch):
        """The server's own address stands for a public one."""
        monkeypatch.setattr("guardray.hosts.is_public", lambda address: address == "127.0.0.1")
        copies = copies_in(tmp_path)
        one = struct(server.serve(ok("9.9.9.9\n")), allow_private_addresses=False)
        copies.update(one, NOW)
        server.serve(redirect("http://169.254.169.254/latest/"))
        outcome = copies.update(one, NOW + timedelta(days=2))
        assert outcome.status == "failed"
        assert "169.254.169.254, not a public address" in outcome.reason
        assert copies.content(one) == b"9.9.9.9\n"

    def test_far_fewer_entries_can_be_forced(self, server, tmp_path):
        copies = copies_in(tmp_path)
        one = struct(server.serve(ok("".join(f"9.9.9.{n}\n" for n in range(20)))))
        copies.update(one, NOW)
        server.serve(ok("9.9.9.9\n"))
        assert copies.update(one, NOW, is_asked_for=True).status == "failed"
        assert copies.update(one, NOW, is_asked_for=True, force=True).entries == 1

    def test_entries_are_counted_by_todays_options(self, server, tmp_path):
        """A feed that is read more strictly than before has not shrunk."""
        copies = copies_in(tmp_path)
        url = server.serve(ok("".join(f"9.9.9.{n}\n" for n in range(20))))
        copies.update(struct(url), NOW)
        strict = struct(url, except_=("9.9.9.0/28", "9.9.9.16/31", "9.9.9.18"))
        server.serve(ok("9.9.9.19\n"))
        assert copies.update(strict, NOW, is_asked_for=True).status == "updated"

    def test_a_damaged_copy_is_fetched_anew(self, server, tmp_path):
        copies = copies_in(tmp_path)
        one = struct(server.serve(ok("9.9.9.9\n", ETag='"1"')))
        copies.update(one, NOW)
        (content,) = tmp_path.rglob("content-*")
        content.write_bytes(b"8.8.8.8\n")
        with pytest.raises(ValueError, match="damaged"):
            copies.content(one)
        assert copies.update(one, NOW).status == "updated"
        assert copies.content(one) == b"9.9.9.9\n"

    def test_updates_at_the_same_time_fetch_once(self, server, tmp_path):
        one = struct(server.serve(ok("9.9.9.9\n")))
        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(lambda _: copies_in(tmp_path).update(one, NOW), range(6)))
        assert sorted(outcome.status for outcome in outcomes) == ["fresh"] * 5 + ["updated"]
        assert len(server.requests) == 1

    def test_old_content_is_removed(self, server, tmp_path):
        copies = copies_in(tmp_path)
        for number in range(3):
            copies.update(struct(server.serve(ok(f"9.9.9.{number}\n"))), NOW, is_asked_for=True)
        assert len(list(tmp_path.rglob("content-*"))) == 1

    def test_several_feeds_are_updated_in_their_order(self, server, tmp_path):
        feeds = [struct(server.serve(ok(f"9.9.9.{n}\n"), f"/{n}"), name=f"feed {n}") for n in range(12)]
        outcomes = update(feeds, copies_in(tmp_path))
        assert [outcome.name for outcome in outcomes] == [one.name for one in feeds]
        assert [outcome.reason for outcome in outcomes] == [None] * 12


class TestDue:
    """When a feed is asked for again."""

    def state(self, checked_at, last_error=None):
        return CopyState(name="bad", url="http://x", checked_at=checked_at, last_error=last_error)

    def test_a_feed_that_was_never_asked_is(self):
        assert is_due(struct("http://x"), self.state(None), NOW)

    @pytest.mark.parametrize(
        ("refresh", "age", "due"),
        [(3600, 3599, False), (3600, 3600, True), (None, 86_399, False), (None, 86_400, True)],
    )
    def test_a_feed_is_due_after_its_interval_or_a_day(self, refresh, age, due):
        one = struct("http://x", refresh_s=refresh)
        assert is_due(one, self.state(NOW - timedelta(seconds=age)), NOW) is due

    def test_a_feed_that_failed_is_tried_again_soon(self):
        one = struct("http://x")
        assert not is_due(one, self.state(NOW - RETRY / 2, "broke"), NOW)
        assert is_due(one, self.state(NOW - RETRY, "broke"), NOW)

    def test_a_check_in_the_future_does_not_count(self):
        assert is_due(struct("http://x"), self.state(NOW + timedelta(days=1)), NOW)
