"""Where a scan's findings go. What cannot be written is told of before the scan, which may take hours."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guardray.cli.checks.machine import refusal_to_write
from guardray.errors import UsageError
from guardray.findings.finding import Finding
from guardray.findings.severity import Severity
from guardray.findings.writers import Format, write_findings
from guardray.sources.objects import InputObject

STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What was asked for.

    Attributes:
        output: a file for the findings; standard output if not given.
        format_: how they are written; if not given, a table for people and lines of JSON for files.
        store: where they are kept too.
        state: folder for what is set aside.
        fail_on: the severity from which on a finding decides the exit status.
    """

    output: Path | None = None
    format_: Format | None = None
    store: str | None = None
    state: Path = Path("guardray-data")
    quiet: bool = False
    fail_on: Severity | None = None

    @classmethod
    def of(
        cls,
        output: Path | None,
        format_: Format | None,
        *,
        store: str | None,
        state: Path,
        quiet: bool,
        fail_on: str | None,
    ) -> Outputs:
        """As the options of a command say it. Raises UsageError where a severity is none.

        `-` is standard output, where lines are meant as they are in a file.
        """
        bound = None if fail_on is None else _bound(fail_on)
        if output == STANDARD_OUTPUT:
            output, format_ = None, format_ or "jsonl"
        return cls(output=output, format_=format_, store=store, state=state, quiet=quiet, fail_on=bound)

    @property
    def format(self) -> Format:
        return self.format_ or ("table" if self.output is None else "jsonl")

    def check(self, objects: Sequence[InputObject]) -> None:
        """Raises UsageError where the findings of these objects could not be written, StoreError where not be kept."""
        if self.output is not None:
            _check_file(self.output, objects)
        if self.store is not None:
            from guardray.store.findings import FindingStore  # SQLAlchemy is only needed where findings are kept

            FindingStore.open(self.store).close()

    def write(self, findings: Sequence[Finding]) -> None:
        """Writes the findings. Raises UsageError where that fails; a file is then what it was before."""
        if self.output is None:
            _write_standard_output(findings, self.format)
            return
        _write_file(findings, self.output, self.format)
        if self.format != "table" and not self.quiet:
            _write_standard_output(findings, "table")


def _bound(fail_on: str) -> Severity:
    try:
        return Severity.parse(fail_on)
    except UsageError as error:
        raise UsageError(f"--fail-on: {error}") from error


def check_new_file(option: str, path: Path) -> None:
    """Raises UsageError where no file of that name could be made or replaced."""
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder")
    if _is_written_in_place(path):
        return
    if (refusal := refusal_to_write(path.absolute().parent)) is not None:
        raise UsageError(f"{option} {path}: {refusal}")


def _check_file(output: Path, objects: Sequence[InputObject]) -> None:
    check_new_file("--output", output)
    if output.is_file():
        size = output.stat().st_size
        # An input may go by many names; those of another length need no second look.
        if any(obj.size == size and _is_same_file(obj.url, output) for obj in objects):
            raise UsageError(f"--output {output}: is one of the inputs, which it would overwrite")


def _is_same_file(url: str, path: Path) -> bool:
    return Path(url).exists() and path.samefile(url)


def _is_written_in_place(output: Path) -> bool:
    """A pipe or a device, which cannot be replaced by a finished file."""
    return output.exists() and not output.is_file()


def _write_file(findings: Sequence[Finding], output: Path, format_: Format) -> None:
    """Beside the file first, so that what is there under its name is always whole."""
    target = Path(os.path.realpath(output))  # a link stays one
    partial = target if _is_written_in_place(target) else target.with_name(f"{target.name}.partial")
    with disk_errors(f"--output {output}"):
        try:
            with partial.open("w", encoding="utf-8") as stream:
                write_findings(findings, stream, format_)
            if partial != target:
                partial.replace(target)
        except OSError:
            if partial != target:
                partial.unlink(missing_ok=True)
            raise


def _write_standard_output(findings: Sequence[Finding], format_: Format) -> None:
    stream = sys.stdout
    if stream is None:  # the command was started with it closed
        return
    if format_ != "table" and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal's own encoding
    with disk_errors("standard output"):
        try:
            write_findings(findings, stream, format_)
            stream.flush()
        except BrokenPipeError:
            # Whoever reads has seen enough. The scan is none the worse for it, and nothing more can be written there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def check_new_folder(option: str, folder: Path) -> None:
    """Raises UsageError where a folder of that name could not be made or replaced."""
    if not folder.name:
        raise UsageError(f"{option} {str(folder)!r}: give the folder a name of its own")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{option} {folder}: is not a folder")
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if (refusal := refusal_to_write(above)) is not None:
        raise UsageError(f"{option} {folder}: {refusal}")


@contextmanager
def disk_errors(place: str) -> Iterator[None]:
    """Makes errors of the disk one line that names the place where something was to be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}") from error
