"""What `guardray serve` refuses before it starts anything."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from guardray.cli.app import app
from guardray.errors import UsageError

DESTINATION = '{name: chat, kind: webhook, url: "https://hooks.example/x", secret: {env: CHAT_SECRET}}'


@pytest.mark.parametrize(
    ("destination", "secret", "reason"),
    [
        (DESTINATION.replace("https:", "http:"), "s" * 32, "publish.yaml:2: .*is not an https:// URL"),
        (DESTINATION, None, "chat: the environment variable CHAT_SECRET is not set"),
        (DESTINATION, "short", "chat: the secret is shorter than 24 bytes"),
    ],
)
def test_destinations_that_cannot_be_sent_to_are_told_before_anything_starts(
    tmp_path, monkeypatch, destination, secret, reason
):
    (tmp_path / "publish.yaml").write_text(f"destinations:\n  - {destination}\n")
    monkeypatch.setenv("GUARDRAY_PUBLISH", str(tmp_path / "publish.yaml"))
    monkeypatch.delenv("CHAT_SECRET", raising=False)
    if secret is not None:
        monkeypatch.setenv("CHAT_SECRET", secret)
    result = CliRunner().invoke(app, ["serve", "--data", str(tmp_path / "data")])
    with pytest.raises(UsageError, match=reason):
        raise result.exception
    assert not list((tmp_path / "data").iterdir())
