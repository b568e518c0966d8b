"""`guardray serve`: the service, on a cluster that it starts or joins, until it is told to stop."""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from guardray.cli.messages import command, say
from guardray.cli.options import Verbose
from guardray.errors import ServiceLostError, StoreError
from guardray.service.config import ServeConfig
from guardray.service.config_loading import load_config
from guardray.service.lists import put_lists_into_use
from guardray.sources.aws_keys import key_facts

_FILES_LOOKED_AT = 10_000

_WAIT_S = 0.2
_SAY_S = 2.0
"""Between lines that tell how far the service is."""

_LOOK_S = 5.0
"""Between looks whether the coordinator is there."""


def serve(
    config: Annotated[Path | None, typer.Option(help="The service's configuration, see configs/guardray.yaml.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of all that it keeps; guardray-data if not given.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="A queue, bucket or folder to read; may be repeated.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Where the API listens; 127.0.0.1 if not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="8000 if not given.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Join this Ray cluster (auto or HOST:PORT); one is started if not given.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Runs the service: reads continuously, keeps findings, publishes them, and answers as GuardDuty's API does."""
    options = {
        "data": data,
        "sources": source,
        "api": {"host": host, "port": port},
        "ray": {"address": address},
    }
    loaded = load_config(config, options)
    console = Console(stderr=True)
    for notice in loaded.notices:
        say(console, notice, "yellow")
    _run(loaded.config, console)


def _run(config: ServeConfig, console: Console) -> None:
    started = time.perf_counter()
    config.data.mkdir(parents=True, exist_ok=True)
    # The parts of the service take a second to import, which other commands need not wait for.
    from guardray.service.assembly import settings_of
    from guardray.service.own_ray import own_ray
    from guardray.service.tracing import check_traces

    for notice in [*put_lists_into_use(config), *settings_of(config)[1]]:
        say(console, notice, "yellow")
    _check_destinations(config)
    check_traces(config.traces)
    _show_first_key(config, console)
    with own_ray(config):
        _run_on_ray(config, console, started)


def _run_on_ray(config: ServeConfig, console: Console, started: float) -> None:
    # Ray takes seconds to import, and reads its variables then: what is wrong with the configuration was said before.
    from guardray.runtime.cluster import cluster, watched
    from guardray.runtime.ingress import start_ingress, stop_ingress
    from guardray.runtime.service import (
        COORDINATOR,
        PUBLISHER,
        TRAINER,
        standing_of,
        start_coordinator,
        start_publisher,
        stop_actor,
    )
    from guardray.runtime.trainer import start_trainer, stop_pool
    from guardray.service.death import tell_of_death

    # After the cluster has started, since Ray sets handlers of its own.
    with (
        cluster(config.ray.address),
        _told_to_stop() as stop,
        _told_of(tell_of_death, config.store_url),
        watched(lambda: _end_without_ray(console)),
    ):
        say(console, f"Ray is up after {time.perf_counter() - started:.0f} s", "dim")
        start_publisher(config)
        coordinator = start_coordinator(config)
        say(console, f"the coordinator is up after {time.perf_counter() - started:.0f} s", "dim")
        start_ingress(config)
        start_trainer(config)
        _await_running(lambda: standing_of(coordinator), stop, console)
        scheme = "https" if config.api.tls else "http"
        if not stop.is_set():
            took = time.perf_counter() - started
            say(console, f"ready after {took:.0f} s: {scheme}://{config.api.host}:{config.api.port}")
        while not stop.wait(_LOOK_S):
            standing_of(coordinator)
        say(console, "stopping: the epoch that is under way is finished, and state is kept", "dim")
        stop_actor(TRAINER)
        stop_actor(COORDINATOR)
        stop_actor(PUBLISHER)
        if config.ray.address is not None:  # else it ends with its cluster, without a wait for idle connections
            stop_ingress()
            stop_pool()
    say(console, "stopped", "dim")


def _end_without_ray(console: Console) -> None:
    """Ends this process at once, and with it what is left of Ray: nothing of it can be ended in order any more."""
    say(console, "Ray is gone from this machine: start the service again, it goes on from there", "red")
    os._exit(1)


@contextmanager
def _told_of(tell: Callable[[str, str, datetime], None], store_url: str) -> Iterator[None]:
    """Has whoever asks the store know of a service that is lost."""
    try:
        yield
    except ServiceLostError as lost:
        with suppress(StoreError):
            tell(store_url, str(lost), datetime.now(UTC))
        raise


def _await_running(standing: Callable[[], tuple[str, str] | None], stop: threading.Event, console: Console) -> None:
    """Says how far the service is with going on from its state, until it runs or is told to stop."""
    said = ""
    since = time.monotonic()
    while not stop.wait(_WAIT_S):
        found = standing()
        phase, told = found or ("", "the coordinator does not answer for the moment")
        if phase == "running":
            return
        if told != said and time.monotonic() - since > _SAY_S:
            said, since = told, time.monotonic()
            say(console, told, "dim")


def _check_destinations(config: ServeConfig) -> None:
    """Raises UsageError where the publisher would refuse what it is to publish to, before anything is started."""
    if config.publish is None:
        return
    from guardray.publish.destinations import read_destinations

    destinations = read_destinations(config.publish)
    if config.ray.address is None:  # else a cluster's publisher has secrets and credentials of its own
        for one in destinations:
            one.sender(config.publish.parent)


def _show_first_key(config: ServeConfig, console: Console) -> None:
    """Makes an administrator's key where there is none at all, and shows it, this once."""
    from guardray.access.identity import Role
    from guardray.access.issue import issue, seal_for
    from guardray.store.access_keys import AccessKeys

    keys = AccessKeys.open(config.store_url)
    try:
        seal = seal_for(keys, config.data)
        if keys.records():
            return
        account = _first_account(config)
        if account is None:
            say(console, f"nobody has a key: {_how_to_make_a_key(config)} makes one", "yellow")
            return
        now = datetime.now(UTC)
        made = issue(
            keys, seal, kind="signing", account_id=account, role=Role.ADMIN, regions=None, actor="serve", now=now
        )
    finally:
        keys.close()
    say(console, f"a key for the administrator of {account}, which is not shown again:", "bold")
    say(console, f"  AWS_ACCESS_KEY_ID={made.record.id}")
    say(console, f"  AWS_SECRET_ACCESS_KEY={made.secret}")


def _how_to_make_a_key(config: ServeConfig) -> str:
    """The command, with the folder that it has to work on. Where the store is another, its URL may hold a password."""
    words = [*command(), "keys", "create", "--account", "ACCOUNT", "--role", "admin", "--data", str(config.data)]
    return shlex.join(words) + ("" if config.store is None else " --store STORE")


def _first_account(config: ServeConfig) -> str | None:
    """The account that the configuration or the first files of a folder name."""
    if config.events.accounts:
        return config.events.accounts[0]
    for source in config.sources:
        folder = Path(source.url.removeprefix("file://"))
        if "://" in source.url and not source.url.startswith("file://"):
            continue
        for number, file in enumerate(folder.rglob("*")):
            if (account := key_facts(file.absolute().as_posix()).account_id) is not None:
                return account
            if number > _FILES_LOOKED_AT:
                break
    return None


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set. A second one ends the process at once: the next start makes up for it."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    earlier = {one: signal.signal(one, on_signal) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in earlier.items():
            with suppress(TypeError):
                signal.signal(one, handler)
