"""`guardray keys` as it is typed."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from guardray.access.gate import Gate
from guardray.access.identity import Holder, Identity, Role
from guardray.access.permissions import QUERY
from guardray.access.request import Request
from guardray.access.seal import ENVIRONMENT, read_seal
from guardray.cli.app import app
from guardray.errors import UsageError

ACCOUNT = "111122223333"
CREATE = ("create", "--account", ACCOUNT, "--role")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def guardray(folder, monkeypatch):
    """Runs a subcommand on the folder; gives what it printed, and raises what it failed with."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def run(*arguments):
        result = CliRunner().invoke(app, ["keys", *arguments, "--data", str(folder)])
        if result.exception is not None:
            raise result.exception
        return result

    return run


@pytest.fixture
def made(guardray):
    """Makes a key; gives its JSON."""
    return lambda *arguments: json.loads(guardray(*CREATE, *arguments, "--format", "json").stdout)


def listed(guardray, *arguments):
    return json.loads(guardray("list", "--format", "json", *arguments).stdout)


def test_a_key_is_shown_once_in_awss_words(guardray, made):
    key = made("admin")
    assert list(key) == ["AccessKeyId", "SecretAccessKey", "AccountId", "Role"]
    assert (key["AccountId"], key["Role"]) == (ACCOUNT, "admin")
    assert key["SecretAccessKey"] not in guardray("list").stdout + guardray("audit").stdout


def test_people_are_told_that_it_is_shown_once(guardray):
    result = guardray(*CREATE, "admin")
    assert result.stdout.splitlines()[0].startswith("AccessKeyId      GRAK")
    assert result.stderr == "This is the only time that the secret is shown.\n"


def test_the_key_and_the_token_that_are_shown_are_good(folder, made):
    from access.signing import signed

    key = made("analyst", "--region", "eu-west-1", "--region", "us-east-1")
    token = made("reader", "--token")
    assert list(token) == ["TokenId", "Token", "AccountId", "Role"]
    request = signed((key["AccessKeyId"], key["SecretAccessKey"]), datetime.now(UTC))
    bearing = Request("GET", "/v1/findings", "", (("authorization", f"Bearer {token['Token']}"),), b"")
    with Gate.open(str(folder / "findings.db"), read_seal(folder)) as gate:
        assert gate.admit(request, "ListDetectors") == Identity(ACCOUNT, "eu-west-1", Role.ANALYST, key["AccessKeyId"])
        assert gate.plain(bearing, QUERY) == Holder(ACCOUNT, None, Role.READER, token["TokenId"])


def test_what_it_makes_is_for_its_owner_only(folder, made):
    made("admin")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "access.key").stat().st_mode) == 0o600


def test_the_list_says_whose_keys_are_and_whether_they_are_good(guardray, made):
    first, second = made("admin"), made("reader", "--token", "--region", "eu-west-1")
    guardray("revoke", first["AccessKeyId"])
    rows = listed(guardray)
    assert [(row["id"], row["kind"], row["role"], row["regions"], row["state"]) for row in rows] == [
        (first["AccessKeyId"], "signing", "admin", None, "revoked"),
        (second["TokenId"], "token", "reader", ["eu-west-1"], "active"),
    ]
    assert listed(guardray, "--account", "999988887777") == []
    assert "eu-west-1" in guardray("list").stdout


def test_several_keys_are_revoked_at_once_and_an_unknown_one_is_named(guardray, made):
    ids = [made("admin")["AccessKeyId"] for _ in range(2)]
    lines = guardray("revoke", *ids).stdout.splitlines()
    assert lines == [f"{one} of {ACCOUNT} (admin) is revoked" for one in ids]
    with pytest.raises(UsageError, match="GRAKX: no key has this id"):
        guardray("revoke", "GRAKX")


def test_the_audit_log_tells_of_keys(guardray, made):
    key = made("admin")["AccessKeyId"]
    guardray("revoke", key)
    entries = json.loads(guardray("audit", "--format", "json", "--account", ACCOUNT).stdout)
    assert [entry["operation"] for entry in entries] == ["RevokeKey", "CreateKey"]
    assert all(entry["actor"].startswith("local:") for entry in entries)
    assert len(json.loads(guardray("audit", "--format", "json", "--limit", "1").stdout)) == 1
    assert "RevokeKey" in guardray("audit").stdout


def test_a_lost_sealing_key_is_told_of_before_a_new_one_is_made(guardray, folder, made):
    old = made("admin")["AccessKeyId"]
    (folder / "access.key").unlink()
    assert listed(guardray)[0]["state"] == "sealing key missing"
    with pytest.raises(UsageError, match=rf"access\.key: the sealing key is not there.*{old}"):
        made("admin")
    guardray("revoke", old)
    made("admin")
    assert [row["state"] for row in listed(guardray)] == ["revoked", "active"]


def test_a_sealing_key_of_its_own_file_is_used(guardray, folder, made, tmp_path):
    made("admin")
    (folder / "access.key").rename(tmp_path / "named.key")
    made("reader", "--key-file", str(tmp_path / "named.key"))
    states = [row["state"] for row in listed(guardray, "--key-file", str(tmp_path / "named.key"))]
    assert states == ["active", "active"]


def test_another_store_is_used_where_it_is_named(guardray, made, tmp_path):
    store = f"sqlite:///{tmp_path / 'other.db'}"
    made("admin", "--store", store)
    assert len(listed(guardray, "--store", store)) == 1
    with pytest.raises(UsageError, match=r"findings\.db: there is no store yet"):
        guardray("list")


@pytest.mark.parametrize("command", [("list",), ("audit",), ("revoke", "GRAKX")])
def test_looking_makes_no_store(guardray, folder, command):
    with pytest.raises(UsageError, match="there is no store yet"):
        guardray(*command)
    assert not folder.exists()


def test_an_account_that_is_none_is_refused(guardray):
    with pytest.raises(UsageError, match="'12': an account id is 12 digits"):
        guardray("create", "--account", "12", "--role", "admin")


def test_a_folder_that_cannot_be_made_is_named(guardray, folder):
    folder.write_text("a file")
    with pytest.raises(UsageError, match=r"--data .*data: File exists"):
        guardray(*CREATE, "admin")


def test_a_narrow_terminal_shows_ids_and_parameters_whole(guardray, made, monkeypatch):
    key = made("analyst", "--region", "eu-west-1", "--region", "us-east-1")
    monkeypatch.setattr("guardray.cli.keys_shown.WIDTH_WITHOUT_TERMINAL", 80)
    keys, entries = guardray("list").stdout, guardray("audit").stdout
    assert key["AccessKeyId"] in keys
    assert max(map(len, keys.splitlines())) <= 80
    assert f'"id":"{key["AccessKeyId"]}","kind":"signing","role":"analyst"' in entries
