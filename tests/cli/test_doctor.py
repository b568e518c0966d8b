"""`guardray doctor`."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import metadata

import pytest
import typer
from service_examples import RUNNING
from typer.testing import CliRunner

from guardray.cli.checks import cluster, machine, packages
from guardray.cli.checks.cluster import check_ray
from guardray.cli.checks.database import check_service, check_store
from guardray.cli.checks.inputs import check_source
from guardray.cli.checks.machine import (
    GIB,
    check_clock,
    check_compiled_code,
    check_cores,
    check_memory,
    check_shared_memory,
    check_state_folder,
    cores_of_cgroup,
    memory_limit,
)
from guardray.cli.checks.packages import check_packages, read_constraints
from guardray.cli.doctor import doctor
from guardray.service.status import KnownProblem, encoded
from guardray.store.database import Database
from guardray.store.schema import VERSION_TABLE
from guardray.store.service import ServiceStore
from guardray.store.service_status import StatusBoard

app = typer.Typer()
app.command()(doctor)


def run(*arguments: str):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


class TestCommand:
    def test_exits_with_0_when_all_is_in_order(self, tmp_path):
        log = tmp_path / "flow.log"
        log.write_text("x\n")
        result = run(str(log), "--store", str(tmp_path / "findings.db"), "--state", str(tmp_path))
        assert result.exit_code == 0, result.stdout
        assert "1 objects" in result.stdout

    def test_exits_with_2_and_says_what_to_mend_when_a_source_is_missing(self, tmp_path):
        result = run(str(tmp_path / "nothing"), "--state", str(tmp_path))
        assert result.exit_code == 2
        assert "no such file or folder" in result.stdout
        assert "check the path and its permissions" in result.stdout

    def test_json_has_subject_status_found_and_mend_of_each_check(self, tmp_path):
        checks = json.loads(run("--format", "json", "--state", str(tmp_path)).stdout)
        assert all(check.keys() == {"subject", "status", "found", "mend"} for check in checks)
        assert [check["subject"] for check in checks] == [
            "Python",
            "Packages",
            "Cores",
            "Memory",
            "Shared memory",
            "State folder",
            "Compiled code",
            "Clock",
            "Geography",
            "Ray",
        ]


class TestPackages:
    def test_warns_with_both_versions_when_an_installed_one_differs(self, tmp_path):
        constraints = tmp_path / "constraints.txt"
        constraints.write_text("# tested\nPolars==0.1\nnot-installed==3.0\n")
        check = check_packages(constraints)
        assert check.status == "warn"
        assert check.found == f"polars {metadata.version('polars')} (tested with 0.1)"

    def test_names_only_the_first_when_many_differ(self, tmp_path, monkeypatch):
        constraints = tmp_path / "constraints.txt"
        names = ["polars", "numba", "numpy", "rich"]
        constraints.write_text("".join(f"{name}==0.1\n" for name in names))
        monkeypatch.setattr(packages, "NAMED", 2)
        assert check_packages(constraints).found.endswith(" and 2 more")

    def test_is_content_when_there_is_nothing_to_compare_with(self, tmp_path):
        assert check_packages(tmp_path / "nothing").status == "ok"

    def test_reads_names_in_any_spelling(self):
        assert read_constraints("Typing_Extensions==4.1  # why\n\nruamel.yaml==1\n") == {
            "typing-extensions": "4.1",
            "ruamel-yaml": "1",
        }


class TestMachine:
    def test_cores_and_memory_are_the_control_groups_when_it_is_bounded(self, tmp_path):
        """Version 2: one file each, `max` for no bound."""
        (tmp_path / "cpu.max").write_text("50000 100000\n")
        (tmp_path / "memory.max").write_text("1073741824\n")
        assert cores_of_cgroup(tmp_path) == 0.5
        assert check_cores(tmp_path).found == f"0.5 of {os.cpu_count()} (bounded by the container)"
        assert memory_limit(tmp_path) == GIB
        assert check_memory(tmp_path).status == "warn"

    def test_bounds_are_read_from_version_1_control_groups_too(self, tmp_path):
        for name, text in {"cpu_quota": "150000", "cpu_period": "100000"}.items():
            path = tmp_path / f"cpu/cpu.cfs_{name.removeprefix('cpu_')}_us"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        (tmp_path / "memory").mkdir()
        (tmp_path / "memory/memory.limit_in_bytes").write_text("1073741824")
        assert cores_of_cgroup(tmp_path) == 1.5
        assert memory_limit(tmp_path) == GIB

    @pytest.mark.parametrize("quota", ["max 100000", ""])
    def test_there_is_no_bound_when_the_control_group_has_none(self, tmp_path, quota):
        (tmp_path / "cpu.max").write_text(quota)
        (tmp_path / "memory.max").write_text("max")
        assert cores_of_cgroup(tmp_path) is None
        assert memory_limit(tmp_path) == machine.psutil.virtual_memory().total

    def test_state_folder_may_be_missing_when_it_can_be_made(self, tmp_path):
        assert check_state_folder(tmp_path / "new" / "folder").status == "ok"
        assert not (tmp_path / "new").exists()

    def test_state_folder_fails_when_nothing_can_be_written_there(self, tmp_path):
        (tmp_path / "file").touch()
        check = check_state_folder(tmp_path / "file" / "folder")
        assert (check.status, check.mend) == ("fail", "choose a folder that you may write to: --state FOLDER")

    def test_state_folder_warns_when_the_disk_is_nearly_full(self, tmp_path, monkeypatch):
        monkeypatch.setattr(machine, "DISK_WANTED", 2**63)
        assert check_state_folder(tmp_path).status == "warn"

    def test_shared_memory_warns_when_the_object_store_does_not_fit(self, tmp_path, monkeypatch):
        assert check_shared_memory(tmp_path, tmp_path).status in ("ok", "warn")  # a real disk of unknown size
        monkeypatch.setattr(machine, "RAY_SHARE", 2.0**20)
        check = check_shared_memory(tmp_path, tmp_path)
        assert check.status == "warn"
        assert "--shm-size=" in check.mend

    def test_shared_memory_is_in_order_when_the_system_has_no_such_folder(self, tmp_path):
        assert check_shared_memory(tmp_path / "nothing").status == "ok"

    def test_compiled_code_is_kept_where_numba_is_told_to(self, tmp_path, monkeypatch):
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
        assert check_compiled_code().found == f"kept in {tmp_path}"

    def test_compiled_code_warns_when_it_cannot_be_kept(self, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
        assert check_compiled_code().status == "warn"

    def test_clock_fails_when_it_is_before_the_installation(self):
        assert check_clock(datetime(1970, 1, 2, tzinfo=UTC)).status == "fail"
        assert check_clock().status == "ok"


class TestSources:
    def test_a_folder_is_counted_and_read(self, tmp_path):
        (tmp_path / "a.json").write_bytes(b"x" * 600_000)
        (tmp_path / "b.json").write_bytes(b"x" * 400_000)
        assert check_source(str(tmp_path), None).found == "2 objects, 1.0 MB, may be read"

    def test_an_empty_folder_is_a_warning(self, tmp_path):
        assert check_source(str(tmp_path), None).status == "warn"

    def test_a_file_that_cannot_be_read_fails(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "nothing")
        check = check_source(str(tmp_path), None)
        assert (check.status, check.mend) == ("fail", "check the path and its permissions")

    def test_standard_input_is_not_touched(self):
        assert check_source("-", None).status == "ok"


@pytest.fixture(scope="module")
def endpoint():
    """An S3-compatible store on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestS3:
    @pytest.fixture(autouse=True)
    def _credentials(self, monkeypatch):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def test_a_bucket_is_listed_and_an_object_read(self, endpoint):
        import boto3

        s3 = boto3.client("s3", endpoint_url=endpoint)
        s3.create_bucket(Bucket="logs")
        s3.put_object(Bucket="logs", Key="some/flow.log", Body=b"x")
        assert check_source("s3://logs/some/", endpoint).found == "1 objects, 0.0 MB, may be read"

    def test_a_missing_bucket_fails_and_names_the_permissions_it_needs(self, endpoint):
        check = check_source("s3://nowhere/", endpoint)
        assert (check.status, check.found) == ("fail", "no such bucket")
        assert "s3:ListBucket" in check.mend


class TestStore:
    def test_a_store_that_opens_is_in_order(self, tmp_path):
        assert check_store(str(tmp_path / "findings.db")).status == "ok"

    def test_a_file_that_is_no_store_fails(self, tmp_path):
        (tmp_path / "findings.db").write_bytes(b"not a database, " * 100)
        assert check_store(str(tmp_path / "findings.db")).status == "fail"

    def test_an_older_store_is_left_as_it_is_and_that_is_said(self, tmp_path):
        url = str(tmp_path / "findings.db")
        check_store(url)
        with sqlite3.connect(url) as connection:
            connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0001'")
        check = check_store(url)
        assert (check.status, "looking at it does not change it" in check.found) == ("warn", True)
        assert list(check_service(url)) == []

    def test_what_a_service_has_to_tell_is_told(self, tmp_path):
        url = str(tmp_path / "findings.db")
        assert list(check_service(url)) == []
        told_at = datetime.now(UTC)
        begun = KnownProblem(text="Recon:EC2/Mine: begins anew", count=1, since=told_at)
        with ServiceStore.open(url) as store:
            fence = store.lease.acquire("host:42", told_at, timedelta(seconds=30))
        status = replace(RUNNING, told_at=told_at, fence=fence, problems=(begun,))
        StatusBoard(Database(url)).save(encoded(status), told_at, fence)
        assert [(one.status, one.found) for one in check_service(url)] == [("ok", "runs"), ("warn", begun.text)]


class TestRay:
    def test_ray_is_imported_but_not_started_when_not_asked_for(self):
        import ray

        was_running = ray.is_initialized()
        assert check_ray(run_task=False).status == "ok"
        assert ray.is_initialized() == was_running

    def test_an_address_where_no_cluster_is_fails(self, monkeypatch):
        import ray

        monkeypatch.setattr(ray, "is_initialized", lambda: False)
        check = check_ray(run_task=True, address="127.0.0.1:1")
        assert check.status == "fail"
        assert "joined at 127.0.0.1:1" in check.found

    @pytest.mark.ray
    @pytest.mark.slow
    def test_a_task_runs_when_asked_for(self):
        assert "ran a task" in cluster.check_ray(run_task=True).found
