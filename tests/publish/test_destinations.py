"""The file of destinations: what it says is understood, and what is wrong with it is named with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from guardray.errors import UsageError
from guardray.publish.destinations import read_destinations
from guardray.publish.secrets import Secret
from guardray.store.outbox_register import Subscription

ROOT = Path(__file__).resolve().parents[2]


def refused(tmp_path, text: str) -> str:
    path = tmp_path / "publish.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_destinations(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert "\n" not in message
    return message.removeprefix(f"{path}:")


def test_each_kind_is_read_with_its_settings(config):
    kinds = config(
        "name: a, kind: eventbridge, bus: security, source: our.guardray, update_every: 15m",
        "name: b, kind: s3, bucket: exports, prefix: x/y, severity: high, backlog: true",
        "name: c, kind: sns, topic_arn: 'arn:aws-us-gov:sns:us-gov-west-1:111122223333:findings'",
        "name: d, kind: sqs, queue_url: 'https://sqs.eu-west-1.amazonaws.com/1/q', endpoint_url: 'http://x'",
        "name: e, kind: lambda, function: respond",
        "name: f, kind: webhook, url: 'https://example.com/x', secret: {env: S}",
        "name: g, kind: file, folder: out, attempts: 3, max_age_h: 0.5",
    )
    assert [type(kind).__name__ for kind in kinds] == [
        "EventBus", "S3Export", "Topic", "Queue", "Function", "Webhook", "Folder",
    ]  # fmt: skip
    quarter, six = timedelta(minutes=15), timedelta(hours=6)
    assert kinds[0].subscription() == Subscription(name="a", update_every=quarter, severity=1.0)
    assert kinds[1].subscription() == Subscription(name="b", update_every=six, severity=7.0, backlog=True)
    assert (kinds[6].attempts, kinds[6].max_age) == (3, timedelta(minutes=30))


def test_the_example_that_comes_along_is_valid():
    assert [one.name for one in read_destinations(ROOT / "configs" / "publish.yaml")] == ["files"]


def test_every_entry_of_the_example_is_valid(tmp_path):
    lines = (ROOT / "configs" / "publish.yaml").read_text().splitlines()
    start = lines.index("destinations:")
    entries = [
        line.replace("  # ", "  ", 1) if line.startswith(("  # - ", "  #   ")) else line for line in lines[start:]
    ]
    (tmp_path / "all.yaml").write_text("\n".join(entries))
    kinds = {type(one).__name__ for one in read_destinations(tmp_path / "all.yaml")}
    assert kinds == {"EventBus", "S3Export", "Topic", "Queue", "Function", "Webhook", "Folder"}


FIRST = "destinations:\n  - name: first\n    kind: file\n    folder: out\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1: Expected `object`, got `null`"),
        ("destinations: 3", "1: Expected `array`, got `int` (destinations)"),
        ("other: []", "1: Object contains unknown field `other`"),
        ("destinations:\n  - {", "2: expected the node content, but found '<stream end>'"),
        (FIRST + "  - name: b\n    kind: fax", "6: Invalid value 'fax' (destinations[1].kind)"),
        (FIRST + "  - kind: file\n    folder: x", "5: Object missing required field `name` (destinations[1])"),
        (FIRST + "  - name: a b\n    kind: file\n    folder: x", "5: Expected `str` matching regex"),
        (FIRST + "  - name: b\n    kind: file\n    folders: x", "5: Object contains unknown field `folders`"),
        (FIRST + "  - name: first\n    kind: sqs\n    queue_url: https://x/y", "5: 'first' is the name of two"),
        (FIRST + "    update_every: 5m", "5: Invalid enum value '5m' (destinations[0].update_every)"),
        (FIRST + "    attempts: 0", "5: Expected `int` >= 1 (destinations[0].attempts)"),
        ("destinations:\n- name: e\n  kind: eventbridge\n  source: aws.guardduty", "2: `source` is 'aws.guardduty'"),
        ("destinations:\n- name: s\n  kind: sns\n  topic_arn: findings", "4: Expected `str` matching regex"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, reason):
    assert refused(tmp_path, text).startswith(reason)


HOOK = "destinations:\n- name: w\n  kind: webhook\n"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("  url: https://x.example/\n  secret: plain", "5: Expected `object`, got `str` (destinations[0].secret)"),
        ("  url: https://x.example/\n  secret: {}", "5: a secret is either `env`"),
        ("  url: http://x.example/?key=tok\n  secret: {env: S}", "2: `url` is not an https:// URL (allow_http is not"),
        ("  url: ftp://tok@x.example\n  secret: {env: S}", "2: `url` is not an https:// URL"),
        ("  url: https://me:tok@x.example/\n  secret: {env: S}", "2: `url` has a user name"),
        ("  url: https://[tok\n  secret: {env: S}", "2: `url` is not an https:// URL"),
        ("  url: https://x.example/\n  secret: {env: S}\n  timeout_s: 600", "6: Expected `float` <= 60.0"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_without_telling_secrets(tmp_path, settings, reason):
    message = refused(tmp_path, HOOK + settings)
    assert message.startswith(reason)
    assert "tok" not in message
    assert "plain" not in message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read: No such file"):
        read_destinations(tmp_path / "none.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="binary: is not text in UTF-8"):
        read_destinations(tmp_path / "binary")


class TestSecrets:
    def test_a_file_starts_at_the_configuration(self, tmp_path):
        (tmp_path / "key").write_text("  the key\n")
        assert Secret(file="key").read(tmp_path) == "the key"

    @pytest.mark.parametrize(
        ("content", "reason"), [("\n", "is empty"), ("a\nb", "is not one line"), (None, "cannot be read: No such file")]
    )
    def test_one_that_is_none_is_named_by_its_place(self, tmp_path, content, reason):
        if content is not None:
            (tmp_path / "key").write_text(content)
        with pytest.raises(UsageError, match=rf"the secret in .*key {reason}"):
            Secret(file="key").read(tmp_path)

    def test_a_variable_that_is_not_set_is_named(self, config, monkeypatch):
        monkeypatch.delenv("HOOK_SECRET")
        (hook,) = config("name: w, kind: webhook, url: 'https://x.example', secret: {env: HOOK_SECRET}")
        with pytest.raises(UsageError, match=r"^destination w: the environment variable HOOK_SECRET is not set$"):
            hook.sender(Path())

    @pytest.mark.parametrize(
        ("secret", "reason"),
        [
            ("hunter2", "shorter than 24 bytes"),
            ("whsec_$$$", "does not go on in Base64"),
            ("whsec_AAAA", "shorter than"),
        ],
    )
    def test_a_key_that_is_too_weak_is_refused_and_not_shown(self, config, monkeypatch, secret, reason):
        monkeypatch.setenv("HOOK_SECRET", secret)
        (hook,) = config("name: w, kind: webhook, url: 'https://x.example', secret: {env: HOOK_SECRET}")
        with pytest.raises(UsageError, match=reason) as caught:
            hook.sender(Path())
        assert secret not in str(caught.value)

    def test_nothing_that_is_printed_has_the_secret(self, config, monkeypatch):
        monkeypatch.setenv("TOKEN", "https://x.example/token-1234")
        (hook,) = config(
            "name: w, kind: webhook, url: {env: TOKEN}, secret: {env: HOOK_SECRET}, headers: {A: {env: HOOK_SECRET}}"
        )
        sender = hook.sender(Path())
        shown = f"{hook!r} {sender!r}"
        assert "token-1234" not in shown
        assert "long enough" not in shown

    def test_a_header_that_no_header_can_be_is_refused(self, config, monkeypatch):
        monkeypatch.setenv("TOKEN", "key \N{EURO SIGN} 1234")
        (hook,) = config(
            "name: w, kind: webhook, url: 'https://x.example', secret: {env: HOOK_SECRET}, headers: {A: {env: TOKEN}}"
        )
        with pytest.raises(UsageError, match="the header A has characters") as caught:
            hook.sender(Path())
        assert "1234" not in str(caught.value)
