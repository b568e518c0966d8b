"""A process that has grown beyond what it may take is told from one that needs so much."""

from __future__ import annotations

from guardray.service.memory_limit import LOOK_S, YOUNG_S, MemoryLimit

MB = 1 << 20


class Process:
    """Of so many bytes in use, and some that it could give back."""

    def __init__(self) -> None:
        self.used, self.free, self.now, self.trims = 100 * MB, 0, 0.0, 0
        self.limit = MemoryLimit(
            200 * MB, resident=lambda: self.used + self.free, let_go=self.let_go, clock=lambda: self.now
        )

    def let_go(self) -> None:
        self.free = 0
        self.trims += 1


def test_one_within_its_limit_stays():
    process = Process()
    process.now = 10 * YOUNG_S
    assert not process.limit.is_outgrown
    assert process.trims == 0


def test_one_that_has_grown_beyond_its_limit_is_outgrown():
    process = Process()
    assert not process.limit.is_outgrown
    process.now, process.used = YOUNG_S, 201 * MB
    assert process.limit.is_outgrown
    assert process.limit.excess is None


def test_free_memory_is_given_back_first():
    process = Process()
    process.now, process.free = YOUNG_S, 150 * MB
    assert not process.limit.is_outgrown
    assert process.trims == 1


def test_one_that_takes_too_much_from_its_start_on_stays_and_says_which_setting_is_too_low():
    process = Process()
    process.used = 300 * MB
    assert not process.limit.is_outgrown
    assert process.limit.excess == (
        "a process takes more than its 200 MB soon after its start: set memory.other_mb higher"
    )


def test_memory_is_looked_at_now_and_then_only():
    process = Process()
    process.now = YOUNG_S
    assert not process.limit.is_outgrown
    process.used, process.now = 300 * MB, YOUNG_S + LOOK_S / 2
    assert not process.limit.is_outgrown
    process.now = YOUNG_S + LOOK_S
    assert process.limit.is_outgrown
