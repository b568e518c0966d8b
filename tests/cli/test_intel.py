"""`guardray intel`."""

from __future__ import annotations

import json

import pytest
from intel.feed_server import status, write_feed
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.errors import UsageError


@pytest.fixture
def run(tmp_path):
    """Runs a subcommand with a library of the test's own; gives the output, or that and the exit status."""

    def runner(*arguments, exits=0):
        given = ["intel", *map(str, arguments), "--state", str(tmp_path / "data")]
        result = CliRunner().invoke(app, given, catch_exceptions=False)
        assert result.exit_code == exits, result.output
        return result.stdout

    return runner


@pytest.fixture
def list_file(tmp_path):
    path = tmp_path / "ours.txt"
    path.write_text("9.9.9.9\nbad.example.com\nnothing here\n")
    return path


@pytest.fixture
def feeds_file(tmp_path, server):
    return write_feed(tmp_path, server, license="CC0-1.0", threat_name="Botnet")


def test_add_says_what_was_understood(run, list_file):
    said = run("add", list_file, "--name", "mine")
    assert said == "mine is in use: threat entity-set in format TXT, 2 entries, 1 line skipped (line 3)\n"


def test_add_names_the_list_after_the_file(run, list_file):
    assert run("add", list_file, "--kind", "IP-set", "--deactivate").startswith("ours is kept, and not in use")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--format", "odd"], "--format 'ODD' is none of TXT"),
        (["--kind", "odd"], "--kind 'odd' is none of ip-set, entity-set"),
        (["--account", "111122223333"], "belong together"),
        (["--account", "111122223333", "--region", "mars"], "'mars' is not the name of a Region"),
        (["--account", "123"], "'123' is not an account id"),
        (["--name", "a b"], "the name 'a b' of an entity-set"),
    ],
)
def test_add_refuses_what_it_does_not_understand(run, list_file, arguments, reason):
    with pytest.raises(UsageError, match=reason):
        run("add", list_file, *arguments)


def test_list_shows_lists_and_feeds(run, list_file, feeds_file):
    run("update", "--intel", feeds_file)
    run("add", list_file, "--account", "111122223333", "--region", "eu-west-1")
    feed, own = json.loads(run("list", "--format", "json"))
    assert (feed["name"], feed["what"], feed["category"], feed["entries"]) == ("bad", "feed", "c2", 1)
    assert (feed["license"], feed["last_error"], feed["active"]) == ("CC0-1.0", None, True)
    assert (own["name"], own["category"], own["skipped_lines"]) == ("ours", "custom", [3])
    assert own["scope"] == [["111122223333", "eu-west-1"]]
    table = run("list")
    assert "CC0-1.0" in table
    assert "yes for 1 place" in table
    assert "ours: 1 line skipped (line 3)" in table


def test_list_shows_local_feeds_that_cannot_be_read(run, tmp_path):
    (tmp_path / "good.txt").write_text("9.9.9.9\n")
    feeds = [{"name": name, "url": f"{name}.txt", "kind": "ip", "category": "c2"} for name in ("good", "gone")]
    (tmp_path / "intel.yaml").write_text(json.dumps({"feeds": feeds}))
    good, gone = json.loads(run("list", "--intel", tmp_path / "intel.yaml", "--format", "json"))
    assert (good["entries"], good["active"], good["last_error"]) == (1, True, None)
    assert (gone["entries"], gone["active"], gone["as_of"]) == (0, False, None)
    assert "cannot be read" in gone["last_error"]


def test_update_says_what_came_of_each_feed(run, feeds_file, server):
    assert run("update", "--intel", feeds_file) == "updated   bad: 1 entry, 0 before\n"
    assert run("update") == "unchanged bad: 1 entry\n"  # the feeds file is remembered
    server.serve(status(500))
    said = run("update", exits=3)
    reason = "the server answers 500 Internal Server Error"
    assert said == f"failed    bad: {reason}; the last good copy stays, 1 entry\n"
    assert json.loads(run("list", "--format", "json"))[0]["last_error"] == reason


def test_nothing_is_asked_for_offline(run, feeds_file, server):
    run("update", "--intel", feeds_file)
    asked = len(server.requests)
    assert run("update", "--offline") == "kept      bad: 1 entry, not asked for\n"
    assert len(server.requests) == asked


@pytest.mark.parametrize("arguments", [["list"], ["check", "9.9.9.9"], ["update"], ["add", "ours.txt"]])
def test_a_feeds_file_that_has_moved_is_asked_for(run, feeds_file, list_file, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    run("update", "--intel", feeds_file)
    feeds_file.unlink()
    with pytest.raises(UsageError, match="is gone; tell where it is now: guardray intel update --intel FILE"):
        run(*arguments)


def test_update_without_feeds_asks_which(run):
    with pytest.raises(UsageError, match="--intel"):
        run("update")


def test_update_in_json(run, feeds_file):
    (outcome,) = json.loads(run("update", "--intel", feeds_file, "--format", "json"))
    assert outcome == {"name": "bad", "status": "updated", "entries": 1, "before": 0, "reason": None}


def test_remove_takes_a_list_out_of_use(run, list_file):
    run("add", list_file)
    assert run("remove", "ours") == "ours is removed\n"
    assert json.loads(run("list", "--format", "json")) == []


class TestCheck:
    """All that lists say of a value."""

    @pytest.fixture
    def check(self, run, list_file, feeds_file):
        run("update", "--intel", feeds_file)
        run("add", list_file, "--account", "111122223333", "--region", "eu-west-1")
        return lambda value, *more: json.loads(run("check", value, *more, "--format", "json"))

    def test_every_list_that_names_an_address_is_shown(self, check):
        said = check("9.9.9.9")
        assert said["verdict"] == "9.9.9.9 is on 2 of 2 lists"
        assert [(one["list_name"], one["value"], one["threat_name"]) for one in said["named"]] == [
            ("bad", "9.9.9.0/24", "Botnet"),
            ("ours", "9.9.9.9", None),
        ]
        assert said["named"][1]["scope"] == [["111122223333", "eu-west-1"]]

    @pytest.mark.parametrize("value", ["9.9.0.0/16", "9.9.8.0-9.9.9.7", "9.9.9.7"])
    def test_networks_and_ranges_are_looked_up_too(self, check, value):
        assert check(value)["named"][0]["list_name"] == "bad"

    def test_domains_below_a_listed_one_are_named_in_any_spelling(self, check):
        said = check("WWW.bad.example.com.")
        assert (said["kind"], said["value"]) == ("domain", "www.bad.example.com")
        assert [one["list_name"] for one in said["named"]] == ["ours"]

    def test_what_is_on_no_list_is_said_to_be(self, check):
        assert check("8.8.8.8")["verdict"] == "8.8.8.8 is on none of 2 lists"

    def test_what_is_trusted_comes_first(self, check, tmp_path):
        (tmp_path / "good.txt").write_text("9.9.9.9\n")
        said = check("9.9.9.9", "--trusted-list", tmp_path / "good.txt")
        assert said["trusted"]
        assert said["named"][0]["list_name"] == "good"
        assert said["verdict"].endswith("and trusted: what other lists say does not count")

    def test_a_table_shows_the_same(self, check, run):
        said = run("check", "9.9.9.9")
        assert "9.9.9.9 is on 2 of 2 lists" in said
        assert "Botnet" in said
        assert "111122223333 in eu-west-1" in said

    @pytest.mark.parametrize("value", ["", "!!", "9.9.9.9/64", "localhost"])
    def test_other_values_are_refused(self, check, value):
        with pytest.raises(UsageError, match="is no address, network, range or domain"):
            check(value)


def test_a_list_with_a_large_part_of_the_internet_is_told_of(run, tmp_path):
    (wide := tmp_path / "wide.txt").write_text("0.0.0.0/0\n9.9.9.9\n")
    given = ["intel", "add", str(wide), "--trusted", "--state", str(tmp_path / "data")]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "list wide has 0.0.0.0/0, a large part of the internet\n")


@pytest.mark.parametrize("arguments", [["list"], ["check", "9.9.9.9"], ["add", "ours.txt"]])
def test_a_file_in_place_of_the_state_folder_is_refused(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours.txt").write_text("9.9.9.9\n")
    (tmp_path / "data").write_text("")
    with pytest.raises(UsageError, match="--state data is not a folder"):
        CliRunner().invoke(app, ["intel", *arguments, "--state", "data"], catch_exceptions=False)


def test_a_damaged_registry_says_what_to_do(tmp_path):
    (tmp_path / "intel").mkdir()
    (tmp_path / "intel" / "registry.json").write_text("{")
    with pytest.raises(UsageError, match=r"registry.json: cannot be read: .*; remove it, and add the lists again"):
        CliRunner().invoke(app, ["intel", "list", "--state", str(tmp_path)], catch_exceptions=False)
