"""Inventory files: what EC2's Describe calls said, kept as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from guardray.errors import UsageError
from guardray.inventory.facts import BEGINNING, FactList, together
from guardray.inventory.shapes import Json, add_instance, add_interface, in_camel_case, listed, mapping, text

_ACCOUNT, _ZONE = re.compile(r"\d{12}"), re.compile(r"([a-z]{2,3}(?:-[a-z]+)+-\d+)[a-z]*")
_PLACES = ("instances", "networkInterfaces", "reservations")


def read_inventory(paths: Sequence[str | Path]) -> pl.DataFrame:
    """The facts of these files, and of all `.json` files below these folders, in the schema `FACTS`.

    A file is one document or a list of them: `AccountId`, `Region`, `NetworkInterfaces` and `Instances` as
    `guardray inventory export` writes them, or the answer of `aws ec2 describe-instances` or
    `describe-network-interfaces`, whose account and Region are told by `OwnerId` and `AvailabilityZone`. `OwnerId`
    counts before `AccountId`.
    Facts hold since the attachment or the launch; where neither is said, from the beginning.

    Raises:
        UsageError: a file is missing, no JSON or of another shape; file and position are named.
    """
    facts = FactList()
    for path in (one for place in paths for one in _files(Path(place))):
        for position, document in _documents(path):
            add_document(facts, document, f"{path}{position}")
    return together([facts.frame()])


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.rglob("*.json") if path.is_file())
    if not found:
        raise UsageError(f"inventory {place}: no .json file in this folder")
    return found


def _documents(path: Path) -> Iterator[tuple[str, Json]]:
    """The documents of a file, each with its position for messages."""
    try:
        written = path.read_bytes()
        # PowerShell writes what the AWS CLI prints in UTF-16, or with a byte-order mark.
        content = msgspec.json.decode(written.decode(json.detect_encoding(written)))
    except OSError as error:
        raise UsageError(f"inventory {path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"inventory {path}: not JSON: {error}") from None
    is_list = isinstance(content, list)
    if is_list and not content:
        raise UsageError(f"inventory {path}: an empty list, which says nothing of any account")
    for number, document in enumerate(content if is_list else [content]):
        position = f"[{number}]" if is_list else ""
        if not isinstance(document, Mapping):
            raise UsageError(f"inventory {path}{position}: expected an object, not {type(document).__name__}")
        yield position, document


def add_document(facts: FactList, document: Json, place: str) -> None:
    """Add what one document says; `place` is where it was read, for messages.

    Raises:
        UsageError: the document is of another shape.
    """
    document = in_camel_case(document)
    if not any(name in document for name in _PLACES):
        raise UsageError(f"inventory {place}: has none of Instances, NetworkInterfaces and Reservations")
    for name in _PLACES:
        _check_objects(document.get(name, []), f"{place}.{name[:1].upper()}{name[1:]}")
    for group, reservation in enumerate(listed(document, "reservations")):
        _check_objects(reservation.get("instances", []), f"{place}.Reservations[{group}].Instances")
    for number, interface in enumerate(listed(document, "networkInterfaces")):
        _place(facts, document, interface, f"{place}.NetworkInterfaces[{number}]", "networkInterfaceId")
        add_interface(facts, interface, BEGINNING)
    for where, instance in _instances(document):
        _place(facts, document, instance, f"{place}.{where}", "instanceId")
        add_instance(facts, instance, BEGINNING)


def _check_objects(value: Any, place: str) -> None:
    """Raises UsageError where it is no list of objects: what is of another shape must not get lost."""
    if not isinstance(value, list):
        raise UsageError(f"inventory {place}: expected a list, not {type(value).__name__}")
    for number, one in enumerate(value):
        if not isinstance(one, Mapping):
            raise UsageError(f"inventory {place}[{number}]: expected an object, not {type(one).__name__}")


def _instances(document: Json) -> Iterator[tuple[str, Json]]:
    """Instances with their positions; those of a reservation know its owner."""
    for number, instance in enumerate(listed(document, "instances")):
        yield f"Instances[{number}]", instance
    for group, reservation in enumerate(listed(document, "reservations")):
        owner = {"ownerId": reservation.get("ownerId")}
        for number, instance in enumerate(listed(reservation, "instances")):
            yield f"Reservations[{group}].Instances[{number}]", owner | dict(instance)


def _place(facts: FactList, document: Json, one: Json, where: str, identifier: str) -> None:
    """Set where the facts of this one hold.

    Raises:
        UsageError: it has no id, or its account or Region is neither said nor told by its owner and zone.
    """
    if text(one.get(identifier)) is None:
        raise UsageError(f"inventory {where}: has no {identifier[:1].upper()}{identifier[1:]}")
    account = one.get("ownerId") or document.get("accountId")  # in a shared VPC, others have interfaces too
    zone = one.get("availabilityZone") or mapping(one.get("placement")).get("availabilityZone")
    region = document.get("region") or _region_of(zone)
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        raise UsageError(f"inventory {where}: AccountId is {_shown(account)}, expected a text of 12 digits")
    if not isinstance(region, str):
        raise UsageError(f"inventory {where}: Region is {_shown(region)}, and no AvailabilityZone tells it")
    facts.at(account, region)


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)


def _region_of(zone: Any) -> str | None:
    """The Region of a zone: eu-west-1 of eu-west-1a, us-west-2 of the local zone us-west-2-lax-1a."""
    match = _ZONE.match(zone) if isinstance(zone, str) else None
    return match[1] if match else None
