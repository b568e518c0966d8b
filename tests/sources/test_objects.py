"""From sources to objects, on the local disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from guardray.errors import SourceError, UsageError
from guardray.sources.fetching import open_object
from guardray.sources.objects import KeyFilter, locate, time_written

ALL = KeyFilter()
NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
NAME = "111122223333_CloudTrail_{region}_202105{day:02}T1200Z_x.json"


@pytest.fixture
def trail(tmp_path):
    """Three days of two Regions in AWS's layout, and what lies beside them."""
    for region in ("us-east-1", "eu-west-1"):
        for day in (1, 2, 3):
            folder = tmp_path / f"AWSLogs/111122223333/CloudTrail/{region}/2021/05/{day:02}"
            folder.mkdir(parents=True)
            (folder / NAME.format(region=region, day=day)).write_text("{}")
    digests = tmp_path / "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2021/05/01"
    digests.mkdir(parents=True)
    (digests / "digest.json").write_text("{}")
    (tmp_path / "notes.json").write_text("{}")
    return tmp_path


def names(objects):
    return [obj.url.rsplit("/", 1)[1] for obj in objects]


def test_a_folder_gives_all_below_it_undated_first_then_by_date(trail):
    objects = locate([str(trail)], ALL)
    dated = [NAME.format(region=region, day=day) for day in (1, 2, 3) for region in ("eu-west-1", "us-east-1")]
    assert names(objects) == ["notes.json", *dated]


def test_an_object_knows_what_its_key_says(trail):
    obj = locate([str(trail)], KeyFilter(regions=frozenset({"eu-west-1"})))[1]
    assert (obj.account_id, obj.region, obj.size) == ("111122223333", "eu-west-1", 2)
    assert obj.key_time == datetime(2021, 5, 1, 12, tzinfo=UTC)


def test_a_relative_folder_inside_the_layout_still_tells_the_account(trail, monkeypatch):
    monkeypatch.chdir(trail / "AWSLogs/111122223333/CloudTrail/eu-west-1/2021")
    assert [(obj.url[:3], obj.account_id, obj.region) for obj in locate(["05"], ALL)] == [
        ("05/", "111122223333", "eu-west-1")
    ] * 3


def test_objects_that_cannot_hold_wanted_events_are_left_out(trail):
    since = datetime(2021, 5, 3, tzinfo=UTC)
    assert names(locate([str(trail)], KeyFilter(since=since, regions=frozenset({"eu-west-1"})))) == [
        "notes.json",
        NAME.format(region="eu-west-1", day=3),
    ]


def test_a_source_given_twice_is_read_once(trail):
    assert len(locate([str(trail), str(trail), str(trail / "notes.json")], ALL)) == 7


def test_a_file_is_taken_whatever_it_is_called(trail):
    digest = trail / "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2021/05/01/digest.json"
    assert [obj.url for obj in locate([str(digest)], ALL)] == [str(digest)]


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "log").write_text("{}")
    (tmp_path / ".hidden").write_text("{}")
    assert locate([str(tmp_path)], ALL) == []


def test_standard_input_is_one_object_of_unknown_size():
    [obj] = locate(["-"], ALL)
    assert (obj.url, obj.size, obj.key_time) == ("-", None, None)


def test_a_file_tells_when_it_was_written_and_a_stream_counts_as_written_now(tmp_path):
    (tmp_path / "notes.json").write_text("{}")
    os.utime(tmp_path / "notes.json", (NOW.timestamp() - 60, NOW.timestamp() - 3600))
    os.mkfifo(tmp_path / "pipe")
    objects = locate([str(tmp_path / "notes.json"), str(tmp_path / "pipe"), "-"], ALL, now=NOW)
    assert {obj.url.rsplit("/")[-1]: obj.written for obj in objects} == {
        "notes.json": NOW - timedelta(hours=1),
        "pipe": NOW,
        "-": NOW,
    }


@pytest.mark.parametrize("seconds", [0, 315_532_800, -1, 10**13])
def test_a_time_at_which_nobody_wrote_a_log_is_none(seconds):
    assert time_written(seconds) is None  # what reproducible archives set, and damaged file systems


def test_a_dangling_link_is_an_object_whose_reading_will_say_so(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    [obj] = locate([str(tmp_path)], ALL)
    assert obj.size is None


def test_a_missing_source_is_one_clear_error(tmp_path):
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        locate([str(tmp_path / "nowhere")], ALL)


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    def refuse(top, onerror, followlinks):
        onerror(PermissionError(13, "Permission denied", f"{top}/closed"))
        return iter(())

    monkeypatch.setattr("os.walk", refuse)
    with pytest.raises(SourceError, match="closed: Permission denied"):
        locate([str(tmp_path)], ALL)


def test_a_pipe_below_a_folder_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (obj,) = locate([str(tmp_path)], ALL)
    with pytest.raises(SourceError, match="not a regular file"):
        open_object(obj)


def test_linked_folders_are_read_and_a_circle_of_links_ends(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "trail.json").write_text("{}")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "logs")
    assert [obj.url for obj in locate([str(tmp_path / "logs")], ALL)] == [str(tmp_path / "logs/link/trail.json")]
