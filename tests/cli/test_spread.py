"""Options that are declared once, and seen as if each command had them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from guardray.cli.spread import spread


@dataclass(frozen=True, kw_only=True)
class Shared:
    loud: Annotated[bool, typer.Option("--loud", help="Say it aloud.")] = False
    times: int = 1


def said(*arguments: str, app: typer.Typer) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.strip()


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @spread
    def greet(name: Annotated[str, typer.Argument()], shared: Shared, greeting: str = "hello") -> None:
        """Greets."""
        print((f"{greeting} {name}" + "!" * shared.loud) * shared.times)

    return app


def test_a_command_takes_the_fields_as_options_of_its_own(app):
    assert said("anna", app=app) == "hello anna"
    assert said("anna", "--loud", "--times", "2", "--greeting", "ahoy", app=app) == "ahoy anna!ahoy anna!"


def test_help_tells_of_the_command_and_of_every_option(app):
    told = said("--help", app=app)
    assert "Greets." in told
    assert all(name in told for name in ("--loud", "Say it aloud.", "--times", "--greeting"))
    assert "--shared" not in told
