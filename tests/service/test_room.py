"""State goes, the oldest first, before its process takes more than it may."""

from __future__ import annotations

from guardray.service.room import Room, RoomKeeper, give_back, resident_bytes

MB = 1 << 20


class State:
    """Takes what it is told to, and lets go of what it is asked to."""

    def __init__(self, held: int) -> None:
        self.held = held

    def state_bytes(self) -> int:
        return self.held

    def evict(self, budget: int) -> int:
        gone = max(self.held - budget, 0)
        self.held -= gone
        return gone


class Process:
    """Of some memory besides its state, which keeps what is freed until it is told to give it back."""

    def __init__(self, state: State, besides: int) -> None:
        self.state, self.besides = state, besides
        self.most = state.held

    def resident(self) -> int:
        self.most = max(self.most, self.state.held)
        return self.besides + self.most

    def give_back(self) -> None:
        self.most = self.state.held


def kept(room: Room, state: State, besides: int) -> tuple[RoomKeeper, int]:
    process = Process(state, besides)
    keeper = RoomKeeper(room, process.resident, process.give_back)
    return keeper, keeper.keep(state)


def test_state_past_its_budget_goes():
    state = State(300 * MB)
    _, evicted = kept(Room(state=200 * MB), state, besides=100 * MB)
    assert (evicted, state.held) == (100 * MB, 200 * MB)


def test_state_goes_when_the_process_takes_more_than_it_may_whatever_its_budget_is():
    state = State(300 * MB)
    keeper, evicted = kept(Room(process=350 * MB), state, besides=100 * MB)
    assert (evicted, state.held) == (50 * MB, 250 * MB)
    assert keeper.resident == 350 * MB
    assert keeper.keep(state) == 0


def test_no_more_than_half_of_the_state_goes_at_a_time():
    state = State(300 * MB)
    keeper, evicted = kept(Room(process=100 * MB), state, besides=50 * MB)
    assert evicted == 150 * MB
    assert keeper.keep(state) == 75 * MB


def test_where_the_state_is_not_what_takes_the_memory_it_stays_and_that_is_told():
    state = State(MB)
    keeper, evicted = kept(Room(process=100 * MB), state, besides=200 * MB)
    assert evicted == 0
    assert "memory.shard_mb" in str(keeper.excess)


def test_memory_that_was_freed_is_given_back_before_state_goes():
    state = State(300 * MB)
    process = Process(state, 50 * MB)
    state.held = 100 * MB
    keeper = RoomKeeper(Room(process=200 * MB), process.resident, process.give_back)
    assert keeper.keep(state) == 0


def test_a_room_is_shared_by_shards_and_each_has_a_process_of_its_own():
    assert Room(state=100, process=70).shared_by(4) == Room(state=25, process=70)


def test_a_process_knows_what_it_takes_and_can_give_back():
    before = resident_bytes()
    held = bytearray(b"x" * (100 * MB))
    assert resident_bytes() - before > 90 * MB
    del held
    give_back()
    assert resident_bytes() - before < 50 * MB
