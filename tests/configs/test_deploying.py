"""The page on deploying: its commands and files exist."""

from __future__ import annotations

import re

import yaml
from configs.places import CONFIGS
from typer.main import get_command

from guardray.cli.app import app

PAGE = (CONFIGS.parent / "docs" / "deploying.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_exists_with_its_options():
    looked_at = set()
    for words, rest in re.findall(r"guardray ((?:[a-z]+ )+)([^\n|`'#]*)", PAGE.replace("\\\n", "")):
        names, command = words.split(), get_command(app)
        while names and names[0] in getattr(command, "commands", {}):
            command = command.commands[names.pop(0)]
        if command.name in {"serve", "create", "status", "list"}:
            assert set(re.findall(r"--[a-z-]+", rest)) <= {
                one for parameter in command.params for one in parameter.opts
            }
            looked_at.add(command.name)
    assert looked_at >= {"serve", "create", "status"}


def test_every_file_of_the_page_exists():
    named = set(re.findall(r"configs/[\w./-]+\w", PAGE))
    assert {"configs/guardray.yaml", "configs/systemd/guardray.service", "configs/Dockerfile"} <= named
    assert [name for name in sorted(named) if not (CONFIGS.parent / name).exists()] == []


def test_every_parameter_that_the_page_gives_a_template_is_one_of_its_own():
    templates = [(CONFIGS / "aws" / f"{name}.yaml").read_text(encoding="utf-8") for name in ("logs", "network")]
    parameters = set().union(
        *(re.findall(r"^  (\w+):\n    Type: (?:String|Number|Comma)", one, re.MULTILINE) for one in templates)
    )
    given = set(re.findall(r"\b([A-Z][a-z]\w+)=", PAGE))
    assert given <= parameters


def test_every_variable_of_terraform_that_the_page_sets_exists():
    text = (CONFIGS / "aws" / "terraform" / "variables.tf").read_text(encoding="utf-8")
    given = set(re.findall(r"-var '?(\w+)=", PAGE))
    assert given
    assert given <= set(re.findall(r'variable "(\w+)"', text))


def test_every_secret_that_kubernetes_wants_is_made_on_the_page():
    wanted: set[str] = set()
    for name in ("guardray", "postgres"):
        for one in yaml.safe_load_all((CONFIGS / "kubernetes" / f"{name}.yaml").read_text(encoding="utf-8")):
            wanted |= set(re.findall(r"'secretKeyRef': \{'name': '([\w-]+)'", str(one)))
            wanted |= set(re.findall(r"'secretName': '([\w-]+)'", str(one)))
    assert wanted == set(re.findall(r"create secret generic ([\w-]+)", PAGE))
