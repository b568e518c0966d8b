"""The pieces that logs are made of."""

from __future__ import annotations

import ipaddress
import json
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardray.errors import UsageError
from guardray.simulate import Rates
from guardray.simulate.addresses import public_addresses
from guardray.simulate.flow.conversations import CONVERSATION, conversations
from guardray.simulate.flow.records import flow_records
from guardray.simulate.period import DAY, DEFAULT_START, Period
from guardray.simulate.randomness import stream
from guardray.simulate.rendering import addresses, utc_times, uuids
from guardray.simulate.rhythm import times
from guardray.simulate.trail.events import EVENT, HOST_ID, KEY, REQUEST, TIME
from guardray.simulate.trail.templates import PLACES, split


def test_public_addresses_are_globally_routable() -> None:
    for text in addresses(public_addresses(stream("test"), 20_000)):
        assert ipaddress.ip_address(text).is_global, text


def test_streams_depend_on_every_name() -> None:
    draws = [stream(*names).integers(2**62) for names in ((1, "a"), (1, "b"), (2, "a"), (1, "a", 0))]
    assert len(set(draws)) == 4
    assert stream(1, "a").integers(2**62) == draws[0]


def test_uuids_are_version_4() -> None:
    assert all(uuid.UUID(text).version == 4 for text in uuids(stream("test"), 200))


def test_times_are_written_to_the_second() -> None:
    assert utc_times(np.array([DEFAULT_START.timestamp() + 0.9]))[0] == "2026-01-05T00:00:00Z"


def test_rhythm_keeps_to_its_piece_and_rate() -> None:
    """100 an hour over 10 hours make 1000, give or take five standard deviations of 32."""
    piece = Period(0.0, 36_000.0)
    found = times(stream("test"), 100, piece)
    assert abs(len(found) - 1000) < 160
    assert found.min() >= piece.start
    assert found.max() < piece.end
    assert (np.diff(found) >= 0).all()


@given(
    start=st.floats(1e9, 2e9),
    seconds=st.floats(0, 5000),
    packets=st.integers(1, 10**6),
    size=st.integers(40, 1500),
    aggregation_s=st.sampled_from([60, 600]),
)
def test_cutting_into_intervals_loses_no_packet(
    start: float, seconds: float, packets: int, size: int, aggregation_s: int
) -> None:
    found = conversations(
        1, start=start, seconds=seconds, client=1, client_port=2, server=3, server_port=4,
        packets_out=packets, bytes_out=packets * size, flags_out=3, client_interface=0,
    )  # fmt: skip
    records = flow_records(found, aggregation_s)
    assert records["packets"].sum() == packets
    assert records["bytes"].sum() == packets * size
    assert (records["start"] <= records["end"]).all()
    assert (records["start"] // aggregation_s == records["end"] // aggregation_s).all()


def test_conversation_inside_the_account_is_recorded_four_times() -> None:
    found = conversations(
        1, start=0.0, seconds=1.0, client=1, client_port=40000, server=2, server_port=22, packets_out=5, bytes_out=500,
        packets_in=4, bytes_in=400, flags_out=3, flags_in=19, client_interface=0, server_interface=1,
    )  # fmt: skip
    records = flow_records(found, 60)
    seen = records.select("interface", "source", "egress", "packets", "flags").rows()
    assert sorted(seen) == [(0, 1, True, 5, 3), (0, 2, False, 4, 19), (1, 1, False, 5, 3), (1, 2, True, 4, 19)]


def test_refusal_is_recorded_where_it_happens() -> None:
    found = conversations(
        1, start=0.0, seconds=0.0, client=1, client_port=40000, server=2, server_port=22, packets_out=1, bytes_out=60,
        flags_out=2, client_interface=0, server_interface=1, rejected=True,
    )  # fmt: skip
    assert flow_records(found, 60).select("interface", "accepted").sort("interface").rows() == [(0, True), (1, False)]


@given(present=st.lists(st.booleans(), min_size=len(PLACES), max_size=len(PLACES)))
def test_splitting_an_event_finds_its_places_whichever_are_missing(present: list[bool]) -> None:
    """Filling the places that are there gives back the event; those that are missing stay empty."""
    document = {f"field{i}": place for i, (place, there) in enumerate(zip(PLACES, present, strict=True)) if there}
    if document.get("field1") is None and document.get("field5") is not None:
        return  # the second key of an event never comes without the first
    pieces = split({"first": 1, **document, "last": 2})
    values = {TIME: "t", KEY: "k", HOST_ID: "h", REQUEST: "r", EVENT: "e"}
    filled = pieces[0] + "".join(
        (values[place] if there else "") + piece
        for place, there, piece in zip(PLACES, present, pieces[1:], strict=True)
    )
    assert json.loads(filled) == {"first": 1, **{name: values[place] for name, place in document.items()}, "last": 2}


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "1e9"])
def test_rates_refuse_what_they_do_not_know(text: str) -> None:
    with pytest.raises(UsageError, match="is not one of"):
        Rates.named(text)


def test_rates_by_number_multiply_normal_ones() -> None:
    assert Rates.named("2").visits_per_hour == 2 * Rates.named("normal").visits_per_hour
    assert Rates.named("2").people == Rates.named("normal").people


def test_moments_leave_room_for_what_begins() -> None:
    period, rng = Period(0.0, DAY), stream("test")
    moments = [period.moment(rng, 3600) for _ in range(1000)]
    assert min(moments) >= 0.2 * DAY
    assert max(moments) + 3600 < DAY


def test_empty_conversations_make_no_records() -> None:
    assert flow_records(CONVERSATION.to_frame(), 60).is_empty()
