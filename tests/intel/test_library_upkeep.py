"""Lists that are added to the library, and how soon everyone knows."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel.feed_server import ok, running, status

from guardray.errors import UsageError
from guardray.intel.library import load_indicators
from guardray.intel.registry import MAX_BYTES, Registered, Registry, scope_of
from guardray.intel.upkeep import Library
from guardray.intel.versions import CurrentIndicators, Versions

HERE = [("111122223333", "eu-west-1")]
THERE = [("444455556666", "eu-west-1")]


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def library(data):
    return Library(data)


@pytest.fixture
def list_file(tmp_path):
    def written(*values, name="list.txt"):
        path = tmp_path / name
        path.write_text("".join(f"{value}\n" for value in values))
        return path

    return written


def in_use(data):
    return CurrentIndicators(data).current()


def said(store, value, **asked):
    return [one.category for one in (*store.ip_indicators(value, **asked), *store.domain_indicators(value, **asked))]


def test_an_added_list_is_in_use_and_known_to_scans(library, list_file, data):
    added, notices = library.add(list_file("9.9.9.9", "bad.example.com", "nothing here"), name="ours")
    assert (added.entries, added.skipped, added.skipped_lines, notices) == (2, 1, (3,), [])
    scanned, _ = load_indicators(None, [], [], data, offline=True)
    for store in (in_use(data), scanned):
        assert said(store, "9.9.9.9") == said(store, "bad.example.com") == ["custom"]


def test_a_removed_list_is_in_use_no_more(library, list_file, data):
    library.add(list_file("9.9.9.9"), name="ours")
    library.remove("ours")
    assert not in_use(data).has_addresses
    assert library.registered() == Registered()
    assert list((data / "intel/lists").iterdir()) == []


def test_a_list_that_is_not_there_cannot_be_removed(library, list_file):
    library.add(list_file("9.9.9.9"), name="ours")
    with pytest.raises(UsageError, match="there is no list 'theirs'; there is ours"):
        library.remove("theirs")


def test_an_ip_set_says_nothing_of_domains(library, list_file, data):
    added, _ = library.add(list_file("9.9.9.9", "bad.example.com"), name="our ips", kind="ip-set")
    assert (added.entries, added.skipped) == (1, 1)
    assert not in_use(data).has_domains


def test_a_trusted_list_wins(library, list_file, data):
    library.add(list_file("9.9.9.0/24"), name="threats")
    library.add(list_file("9.9.9.9"), name="ours", trusted=True)
    assert [one.category for one in in_use(data).matches(["9.9.9.9"], ["custom"])] == []
    assert [one.category for one in in_use(data).matches(["9.9.9.8"], ["custom"])] == ["custom"]


def test_a_list_with_a_scope_counts_there_only(library, list_file, data):
    library.add(list_file("9.9.9.9"), name="ours", scope=HERE)
    store = in_use(data)
    assert said(store, "9.9.9.9", account_id="111122223333", region="eu-west-1") == ["custom"]
    assert said(store, "9.9.9.9", account_id="111122223333", region="eu-west-2") == []
    assert said(store, "9.9.9.9") == []


def test_a_list_that_is_not_active_waits(library, list_file, data):
    library.add(list_file("9.9.9.9"), name="ours", active=False)
    assert not in_use(data).has_addresses
    library.add(list_file("9.9.9.9"), name="ours")
    assert in_use(data).has_addresses


def test_an_edited_file_counts_when_it_is_added_again(library, list_file, data):
    library.add(list_file("9.9.9.9"), name="ours")
    edited = list_file("8.8.8.8")
    assert said(in_use(data), "9.9.9.9") == ["custom"]
    library.add(edited, name="ours")
    assert said(in_use(data), "9.9.9.9") == []
    assert said(in_use(data), "8.8.8.8") == ["custom"]
    assert len(library.registered().lists) == 1


def test_the_format_is_told_from_the_content_and_cannot_change(library, list_file):
    added, _ = library.add(list_file("9.9.9.9#4#2#Malicious Host#KR##37.51,126.97#3"), name="ours")
    assert added.format == "ALIEN_VAULT"
    with pytest.raises(UsageError, match="there already as a threat entity-set in format ALIEN_VAULT"):
        library.add(list_file("9.9.9.9"), name="ours")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["nothing of use"], "no public address"),
        (["10.0.0.1"], "no public address"),
        (["9.9.9.9"] * 5_000_000, "bytes"),
    ],
    ids=["no indicators", "private addresses", "too large"],
)
def test_a_file_that_is_not_usable_changes_nothing(library, list_file, data, values, reason):
    library.add(list_file("8.8.8.8"), name="ours")
    before = in_use(data).version
    with pytest.raises(UsageError, match=rf"list\.txt: .*{reason}"):
        library.add(list_file(*values), name="others")
    assert in_use(data).version == before
    assert [one.name for one in library.registered().lists] == ["ours"]


def test_lists_may_have_35_megabytes():
    assert MAX_BYTES == 35 * 1024 * 1024


@pytest.mark.parametrize("name", ["", "a" * 301, "ours!", "naïve", "a\nb", "with blank"])
def test_names_keep_to_the_rules(library, list_file, name):
    with pytest.raises(UsageError, match="the name"):
        library.add(list_file("9.9.9.9"), name=name)


def test_names_of_ip_sets_may_have_blanks(library, list_file):
    assert library.add(list_file("9.9.9.9"), name="with blank", kind="ip-set")[0].name == "with blank"


class TestNumber:
    """How many lists there may be for an account in a Region."""

    def test_six_threat_lists_and_one_trusted_list_of_each_kind(self, library, list_file):
        file = list_file("9.9.9.9")
        for kind in ("ip-set", "entity-set"):
            for number in range(6):
                library.add(file, name=f"threat-{kind}-{number}", kind=kind)
            library.add(file, name=f"trusted-{kind}", kind=kind, trusted=True)
        with pytest.raises(UsageError, match="6 threat ip-sets: remove or replace one by its name"):
            library.add(file, name="one-more", kind="ip-set")
        with pytest.raises(UsageError, match="1 trusted entity-set: "):
            library.add(file, name="one-more", trusted=True)

    def test_each_account_and_region_has_its_own(self, library, list_file):
        file = list_file("9.9.9.9")
        library.add(file, name="here", trusted=True, scope=HERE)
        library.add(file, name="there", trusted=True, scope=THERE)
        with pytest.raises(UsageError, match="for account 444455556666 in eu-west-1"):
            library.add(file, name="again", trusted=True, scope=THERE)

    def test_a_list_for_everyone_counts_everywhere(self, library, list_file):
        file = list_file("9.9.9.9")
        library.add(file, name="here", trusted=True, scope=HERE)
        with pytest.raises(UsageError, match="for account 111122223333 in eu-west-1"):
            library.add(file, name="all", trusted=True)
        library.remove("here")
        library.add(file, name="all", trusted=True)
        with pytest.raises(UsageError, match="for account 111122223333 in eu-west-1"):
            library.add(file, name="here", trusted=True, scope=HERE)

    def test_a_list_may_replace_itself(self, library, list_file):
        for _ in range(2):
            library.add(list_file("9.9.9.9"), name="ours", trusted=True)


def test_a_scope_is_every_account_in_every_region():
    assert scope_of(["111122223333"], ["b", "a"]) == (("111122223333", "a"), ("111122223333", "b"))
    assert scope_of([], []) is None
    with pytest.raises(UsageError, match="belong together"):
        scope_of(["111122223333"], [])
    with pytest.raises(UsageError, match="12 digits"):
        scope_of(["1"], ["a"])


def test_lists_added_at_the_same_time_are_all_there(data, tmp_path):
    def add(number):
        file = tmp_path / f"{number}.txt"
        file.write_text(f"9.9.9.{number}\n")
        Library(data).add(file, name=f"list-{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(6)))
    assert len(in_use(data).lists) == 6


def test_a_damaged_registry_is_named(library, data):
    (data / "intel").mkdir(parents=True)
    (data / "intel/registry.json").write_text("{")
    with pytest.raises(UsageError, match=r"registry\.json: cannot be read"):
        library.registered()


def test_a_lost_content_is_left_out_with_a_notice(library, list_file, data):
    library.add(list_file("9.9.9.9"), name="ours")
    (content,) = (data / "intel/lists").iterdir()
    content.write_text("8.8.8.8")
    _, notices = library.add(list_file("8.8.4.4"), name="others")
    assert notices == ["ours is left out: its content is damaged; add it again"]
    assert said(in_use(data), "8.8.4.4") == ["custom"]


class TestFeeds:
    """Feeds in the library."""

    @pytest.fixture
    def feeds_file(self, tmp_path):
        with running() as server:
            url = server.serve(ok("9.9.9.9\n"))
            (tmp_path / "local.txt").write_text("8.8.8.8\n")
            common = {"kind": "ip", "category": "c2", "allow_private_addresses": True}
            feeds = [{"name": "far", "url": url} | common, {"name": "near", "url": "local.txt"} | common]
            path = tmp_path / "intel.yaml"
            path.write_text(json.dumps({"feeds": feeds}))
            self.server = server
            yield path

    def test_an_update_puts_them_into_use_and_later_lists_keep_them(self, library, feeds_file, list_file, data):
        outcomes, notices = library.update(feeds_file)
        assert [(one.name, one.status, one.entries) for one in outcomes] == [
            ("far", "updated", 1),
            ("near", "local", 1),
        ]
        assert notices == []
        library.add(list_file("1.1.1.1"), name="ours")
        store = in_use(data)
        assert said(store, "9.9.9.9") == said(store, "8.8.8.8") == ["c2"]
        assert said(store, "1.1.1.1") == ["custom"]

    def test_a_feed_that_breaks_does_not_change_what_is_in_use(self, library, feeds_file, data):
        library.update(feeds_file)
        before = in_use(data).version
        self.server.serve(status(500))
        outcomes, _ = library.update(feeds_file)
        assert [one.status for one in outcomes] == ["failed", "local"]
        assert in_use(data).version == before

    def test_copies_that_were_taken_along_come_into_use_without_a_fetch(self, library, feeds_file, tmp_path, data):
        library.update(feeds_file)
        asked = len(self.server.requests)
        taken, moved = tmp_path / "taken", feeds_file.rename(tmp_path / "feeds.yaml")
        data.rename(taken)
        with pytest.raises(UsageError, match=r"intel\.yaml, the feeds file of the last update, is gone; .* --offline"):
            Library(taken).feeds_file()
        outcomes, _ = Library(taken).update(moved, offline=True)
        assert [(one.name, one.status, one.entries) for one in outcomes] == [("far", "kept", 1), ("near", "local", 1)]
        assert len(self.server.requests) == asked
        assert said(in_use(taken), "9.9.9.9") == ["c2"]
        assert Library(taken).feeds_file() == moved

    def test_a_feed_that_was_never_fetched_fails_where_nothing_is_fetched(self, library, feeds_file):
        outcomes, notices = library.update(feeds_file, offline=True)
        assert [(one.name, one.status) for one in outcomes] == [("far", "failed"), ("near", "local")]
        assert notices == ["feed far is left out: it was never fetched"]

    def test_a_local_feed_that_is_gone_does_not_stop_the_others(self, library, feeds_file, data):
        (feeds_file.parent / "local.txt").unlink()
        outcomes, notices = library.update(feeds_file)
        assert [one.status for one in outcomes] == ["updated", "failed"]
        assert "near is left out" in notices[0]
        assert said(in_use(data), "9.9.9.9") == ["c2"]


class TestCurrentIndicators:
    """The store in use, for processes that go on."""

    def test_there_is_nothing_before_a_list_is_activated(self, data):
        assert not in_use(data).has_addresses
        assert not data.exists()

    def test_a_list_that_another_process_adds_is_seen_within_seconds(self, data, list_file, monkeypatch):
        clock = iter(range(0, 100, 2))
        current = CurrentIndicators(data)
        monkeypatch.setattr("guardray.intel.versions.time.monotonic", lambda: float(next(clock)))
        assert not current.current().has_addresses
        program = (
            "import sys; from pathlib import Path; from guardray.intel.upkeep import Library\n"
            "Library(Path(sys.argv[1])).add(Path(sys.argv[2]), name='ours')"
        )
        subprocess.run([sys.executable, "-c", program, data, list_file("9.9.9.9")], check=True)
        assert said(current.current(), "9.9.9.9") == ["custom"]

    def test_the_pointer_is_looked_at_once_a_second(self, data, library, list_file, monkeypatch):
        now = 0.0
        monkeypatch.setattr("guardray.intel.versions.time.monotonic", lambda: now)
        current = CurrentIndicators(data)
        current.current()
        library.add(list_file("9.9.9.9"), name="ours")
        now = 0.9
        assert not current.current().has_addresses
        now = 1.0
        assert current.current().has_addresses

    def test_the_same_store_is_given_until_it_changes(self, data, library, list_file):
        library.add(list_file("9.9.9.9"), name="ours")
        current = CurrentIndicators(data)
        assert current.current() is current.current()

    def test_a_store_that_cannot_be_read_does_not_replace_the_one_before(self, data, library, list_file, monkeypatch):
        clock = iter(range(0, 100, 2))
        monkeypatch.setattr("guardray.intel.versions.time.monotonic", lambda: float(next(clock)))
        library.add(list_file("9.9.9.9"), name="ours")
        current = CurrentIndicators(data)
        before = current.current()
        Versions(data / "intel").activate("0" * 32)
        assert current.current() is before

    def test_it_travels_between_processes_as_a_folder(self, data, library, list_file):
        library.add(list_file("9.9.9.9"), name="ours")
        current = CurrentIndicators(data)
        current.current()
        sent = pickle.dumps(current)
        assert len(sent) < 1000
        assert pickle.loads(sent).current().has_addresses

    def test_the_version_in_use_is_never_removed(self, data, library, list_file, monkeypatch):
        monkeypatch.setattr("guardray.intel.compiled.WORTH_KEEPING", 1)
        library.add(list_file("9.9.9.9"), name="ours")
        for number in range(6):
            load_indicators(None, [list_file(f"9.9.8.{number}", name=f"{number}.txt")], [], data, offline=True)
        assert said(in_use(data), "9.9.9.9") == ["custom"]
        assert len(list((data / "intel/versions").iterdir())) == 4  # in use, newest, and two before it


@settings(max_examples=15)  # each writes a store a step
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=8))
def test_the_registry_holds_what_was_last_said_of_each_name(steps):
    """Adding and removing, in any order, against a dictionary."""
    with TemporaryDirectory() as folder:
        library, expected = Library(Path(folder)), {}
        for number, (name, is_added) in enumerate(steps):
            file = Path(folder) / "list.txt"
            file.write_text(f"9.9.9.{number}\n")
            if is_added:
                library.add(file, name=name)
                expected[name] = f"9.9.9.{number}"
            elif name in expected:
                library.remove(name)
                del expected[name]
        store = in_use(Path(folder))
        listed = {one.list_name: one.value for n in range(8) for one in store.ip_indicators(f"9.9.9.{n}")}
        assert listed == expected
        assert {one.name for one in Registry(Path(folder) / "intel").read().lists} == set(expected)
