"""What a scan shows while it runs: a bar on stderr, by bytes read, with rows and findings so far."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from guardray.cli.messages import say
from guardray.dataflow.scan import Observer
from guardray.sources.limits import Counts
from guardray.sources.objects import InputObject
from guardray.sources.set_aside import SetAside, SetAsideFolder

ERRORS_SHOWN = 20
"""Set-aside rows that are printed one by one; the rest is counted and in the state folder."""


class ScanProgress(Observer):
    """A progress bar, and a line for each row or object that is set aside."""

    def __init__(
        self, objects: Sequence[InputObject], folder: SetAsideFolder, console: Console, *, quiet: bool = False
    ) -> None:
        self._console = console
        self._folder = folder
        self._set_aside = 0
        self._is_folder_lost = False
        self._bar = Progress(
            TextColumn("[bold]scanning"),
            BarColumn(),
            TaskProgressColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TextColumn("[bold red]{task.fields[findings]}[/] findings"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("scan", total=sum(obj.size or 0 for obj in objects), rows=0, findings=0)

    def __enter__(self) -> ScanProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def on_objects_done(self, objects: Sequence[InputObject], counts: Counts) -> None:
        self._bar.update(self._task, advance=sum(obj.size or 0 for obj in objects), rows=counts.read)

    def on_findings(self, findings: int) -> None:
        self._bar.update(self._task, findings=findings)

    def on_set_aside(self, set_aside: SetAside) -> None:
        self._keep(set_aside)
        self._set_aside += 1
        if self._set_aside <= ERRORS_SHOWN:
            say(self._console, f"set aside: {set_aside}", "yellow")
        elif self._set_aside == ERRORS_SHOWN + 1:
            say(self._console, f"more is set aside, see {self._folder}", "yellow")

    def _keep(self, set_aside: SetAside) -> None:
        if self._is_folder_lost:
            return
        try:
            self._folder.add(set_aside)
        except OSError as error:
            # The input still holds what is set aside, so the scan goes on.
            self._is_folder_lost = True
            say(self._console, f"nothing more is kept in {self._folder}: {error.strerror}", "red")
