"""`guardray publish` as it is typed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from finding_examples import one_of_each
from publish.conftest import SECRET, environment
from publish.hook_server import answer
from scanning import ROOT_CALL, ROOT_USE, scan
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.errors import StoreError, UsageError
from guardray.publish.publisher import utc_now


@pytest.fixture
def guardray(tmp_path, monkeypatch, store_path):
    """Runs a subcommand on the store; gives what it printed, and expects a status."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)

    def run(*arguments, status=0):
        result = CliRunner().invoke(app, ["publish", *arguments, "--store", store_path])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return run


@pytest.fixture
def config_file(tmp_path, hooks, config):
    config(
        "name: files, kind: file, folder: out",
        f"name: hook, kind: webhook, url: '{hooks.url()}', secret: {{env: HOOK_SECRET}}, attempts: 1, "
        "allow_http: true, allow_private_addresses: true, severity: high",
    )
    return str(tmp_path / "publish.yaml")


def test_findings_go_out_and_the_list_says_so(guardray, config_file, store, hooks, tmp_path):
    guardray("run", "--once", "--config", config_file)
    store.commit(one_of_each(), epoch="a", now=utc_now())
    done = guardray("run", "--once", "--config", config_file)
    assert sorted(done.stderr.splitlines()) == ["files: 4 sent", "hook: 2 sent"]
    assert len(hooks.requests) == 2
    files, hook = json.loads(guardray("list", "--format", "json").stdout)
    assert (files["name"], files["sent"], files["dead"]) == ("files", 4, 0)
    assert (hook["name"], hook["sent"], hook["severity"]) == ("hook", 2, 7.0)
    assert "files" in guardray("list").stdout


def test_what_a_scan_keeps_in_the_store_goes_out(guardray, config_file, store_path, tmp_path):
    guardray("run", "--once", "--config", config_file)
    trail = tmp_path / "trail.json"
    trail.write_text(json.dumps({"Records": [ROOT_CALL]}))
    assert scan(trail, "--store", store_path, state=tmp_path).exit_code == 0
    assert "files: 1 sent" in guardray("run", "--once", "--config", config_file).stderr
    (file,) = (tmp_path / "out").iterdir()
    assert json.loads(file.read_text())["type"] == ROOT_USE
    scan(trail, "--store", store_path, state=tmp_path)
    assert guardray("run", "--once", "--config", config_file).stderr == ""


def test_dead_letters_are_listed_and_replayed(guardray, config_file, store, hooks):
    hooks.behave = lambda handler, number: answer(handler, 500)
    guardray("run", "--once", "--config", config_file)
    store.commit(one_of_each(), epoch="a", now=utc_now())
    failed = guardray("run", "--once", "--config", config_file, status=3)
    assert "hook: 2 failed, 2 given up: the server answers 500 Internal Server Error" in failed.stderr
    letters = json.loads(guardray("dead", "--format", "json").stdout)
    assert {letter["severity"] for letter in letters} == {8.0, 9.0}
    assert "the server answers 500" in guardray("dead", "--destination", "hook").stdout
    assert json.loads(guardray("dead", "--destination", "files", "--format", "json").stdout) == []
    one = letters[0]["finding_id"]
    assert guardray("replay", "--finding", one).stdout == "1 dead letter due again\n"
    assert guardray("replay", "--destination", "hook").stdout == "1 dead letter due again\n"
    hooks.behave = lambda handler, number: answer(handler, 200)
    assert "hook: 2 sent" in guardray("run", "--once", "--config", config_file).stderr


def test_findings_of_before_are_told_of(guardray, config_file, store, tmp_path):
    store.commit(one_of_each(), epoch="a", now=utc_now())
    first = guardray("run", "--once", "--config", config_file)
    assert "files was not told of 4 findings of before: `backlog: true` sends them" in first.stderr
    assert "hook was not told of 2 findings" in first.stderr
    only = tmp_path / "only.yaml"
    only.write_text("destinations:\n- {name: files, kind: file, folder: out, backlog: true}\n")
    second = guardray("run", "--once", "--config", str(only)).stderr
    assert "hook is no destination any more; 0 findings that waited for it stay" in second
    assert "files: 4 sent" in second
    assert "hook (dropped)" in guardray("list").stdout


def test_a_wrong_file_and_a_wrong_store_are_one_error(guardray, config_file, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("destinations:\n- name: x\n  kind: pigeon\n")
    with pytest.raises(UsageError, match=r"bad\.yaml:3: Invalid value 'pigeon'"):
        guardray("run", "--once", "--config", str(bad))
    with pytest.raises(StoreError, match="unable to open"):
        CliRunner().invoke(
            app, ["publish", "list", "--store", str(tmp_path / "no" / "store.db")], catch_exceptions=False
        )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_running_publisher_stops_when_it_is_told_to(config_file, store, store_path, outbox, stop):
    command = [sys.executable, "-m", "guardray", "publish", "run", "--store", store_path, "--config", config_file]
    process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not outbox.status(utc_now()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    store.commit(one_of_each(), epoch="a", now=utc_now())
    lines = sorted(process.stderr.readline() for _ in range(2))
    process.send_signal(stop)
    assert process.wait(60) == 0
    process.stderr.close()
    assert lines == ["files: 4 sent\n", "hook: 2 sent\n"]
