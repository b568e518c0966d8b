"""GuardDuty's severity bands over the severity number of a finding."""

from __future__ import annotations

from enum import Enum

from guardray.errors import UsageError

HIGHEST = 10.0


class Severity(Enum):
    """A band. Its value is the lowest number in it; the next band's lowest ends it, and 10 ends the last.

    Source: GuardDuty user guide, severity levels; the default numbers are those of published findings.
    """

    LOW = 1.0
    MEDIUM = 4.0
    HIGH = 7.0
    CRITICAL = 9.0

    @property
    def floor(self) -> float:
        """The lowest number in the band."""
        return self.value

    @property
    def default(self) -> float:
        """The number that findings of this band carry unless something moves it."""
        return {Severity.LOW: 2.0, Severity.MEDIUM: 5.0, Severity.HIGH: 8.0, Severity.CRITICAL: 9.0}[self]

    @property
    def label(self) -> str:
        """The band's name as GuardDuty writes it: Low, Medium, High or Critical."""
        return self.name.capitalize()

    @classmethod
    def of(cls, number: float) -> Severity:
        """The band that a severity number falls in. Raises ValueError outside of 1 to 10."""
        if not cls.LOW.floor <= number <= HIGHEST:
            raise ValueError(f"severity {number} is not between 1 and 10")
        return max((band for band in cls if band.floor <= number), key=lambda band: band.floor)

    @classmethod
    def parse(cls, name: str) -> Severity:
        """The band of that name, in any case. Raises UsageError that lists the names."""
        try:
            return cls[name.strip().upper()]
        except KeyError:
            names = ", ".join(band.name.lower() for band in cls)
            raise UsageError(f"severity {name!r} is not one of {names}") from None
