"""Secrets of destinations: the file of destinations says where they are, and nothing prints what they are."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from guardray.errors import UsageError


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is: in an environment variable or in a file, of which relative ones start at the configuration."""

    env: str | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        if (self.env is None) == (self.file is None):
            raise ValueError("a secret is either `env`, a variable's name, or `file`, a path")

    def read(self, folder: Path) -> str:
        """The secret, without white space around it.

        Raises:
            UsageError: it is not there, empty, or not one line of text.
        """
        value = self._value(folder).strip()
        if not value:
            raise UsageError(f"{self._place(folder)} is empty")
        if not value.isprintable():
            raise UsageError(f"{self._place(folder)} is not one line of text")
        return value

    def _value(self, folder: Path) -> str:
        if self.env is not None:
            try:
                return os.environ[self.env]
            except KeyError:
                raise UsageError(f"{self._place(folder)} is not set") from None
        try:
            return (folder / str(self.file)).read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{self._place(folder)} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise UsageError(f"{self._place(folder)} is not text in UTF-8") from None

    def _place(self, folder: Path) -> str:
        return (
            f"the secret in {folder / str(self.file)}" if self.env is None else f"the environment variable {self.env}"
        )


def revealed(value: str | Secret, folder: Path) -> str:
    """A setting that may be written down or kept elsewhere. Raises UsageError as `Secret.read` does."""
    return value.read(folder) if isinstance(value, Secret) else value
