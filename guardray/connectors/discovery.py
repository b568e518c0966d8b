"""Which prefixes of a bucket logs are written below: accounts and Regions, and folders that are in no layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from guardray.sources.aws_keys import KeyFilter, key_facts
from guardray.sources.s3 import Page


@dataclass(frozen=True, order=True)
class Place:
    """Where objects lie.

    Args:
        prefix: their keys begin so.
        below: whether folders below belong to it.
    """

    prefix: str
    below: bool = True


ListPage = Callable[..., Page]
"""`Bucket.page`."""


def discover(prefix: str, key_filter: KeyFilter, list_page: ListPage, pool: Executor) -> set[Place]:
    """All places below a prefix in which wanted logs may be.

    In AWS's layouts that is one for each account, service and Region, so that each can be listed from its own day on.
    A folder in no layout is a place as a whole, and has to be listed from its first object on; it is told by the
    folders in it and by the first key below. Costs a request for each account and each of its services.

    Raises:
        SourceError: from `list_page`.
    """
    places: set[Place] = set()
    if _is_series(prefix):
        return {Place(prefix)}
    level = [prefix]
    while level:
        pages = pool.map(lambda folder: list(_pages(folder, list_page)), level)
        following: list[str] = []
        for folder, found in zip(level, pages, strict=True):
            if folder != prefix and not _leads_to_layout(folder, found, list_page):
                places.add(Place(folder))
                continue
            if any(_is_log(stored.key) for page in found for stored in page.objects):
                places.add(Place(folder, below=False))
            for below in (below for page in found for below in page.folders if _may_hold(below, key_filter)):
                if _is_series(below):
                    places.add(Place(below))
                else:
                    following.append(below)
        level = following
    return places


def _pages(prefix: str, list_page: ListPage) -> Iterator[Page]:
    token: str | None = None
    while True:
        page = list_page(prefix, token=token, below=False)
        yield page
        token = page.token
        if token is None:
            return


def _is_series(prefix: str) -> bool:
    """Whether all below is of one account and Region, and in the order of its days."""
    facts = key_facts(prefix)
    return facts.account_id is not None and facts.region is not None and prefix.endswith("/")


def _is_in_layout(prefix: str) -> bool:
    return key_facts(prefix).is_layout or prefix.endswith("AWSLogs/")


def _leads_to_layout(folder: str, found: list[Page], list_page: ListPage) -> bool:
    """Whether a folder is in one of AWS's layouts, or has one somewhere below as far as its names tell."""
    if _is_in_layout(folder) or any(_is_in_layout(below) for page in found for below in page.folders):
        return True
    return any(key_facts(stored.key).is_layout for stored in list_page(folder, most=1).objects)


def _may_hold(folder: str, key_filter: KeyFilter) -> bool:
    return key_facts(folder).may_match(key_filter)


def _is_log(key: str) -> bool:
    return not key.endswith("/") and key_facts(key).is_log
