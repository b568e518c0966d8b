"""How busy the simulated accounts are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from guardray.errors import UsageError


@dataclass(frozen=True)
class Rates:
    """Sizes of one account and amounts of its everyday activity. Attacks do not depend on them."""

    people: int = 12
    web_servers: int = 4
    workers: int = 4
    buckets: int = 8
    functions: int = 6
    visits_per_hour: float = 700.0
    outbound_per_host_hour: float = 60.0
    probes_per_address_hour: float = 60.0
    calls_per_session: float = 14.0
    service_calls_per_hour: float = 120.0
    object_calls_per_hour: float = 300.0
    lookups_per_host_hour: float = 60.0

    NAMES: ClassVar[tuple[str, ...]] = ("quiet", "normal", "busy")

    @classmethod
    def named(cls, text: str) -> Rates:
        """`quiet`, `normal`, `busy`, or a number that multiplies the amounts of `normal`.

        Raises:
            UsageError: the text is none of these.
        """
        if text == "quiet":
            return cls(people=6, web_servers=2, workers=2, buckets=5, functions=3).scaled(0.25)
        if text == "normal":
            return cls()
        if text == "busy":
            return cls(people=40, web_servers=12, workers=16, buckets=24, functions=20).scaled(5)
        try:
            factor = float(text)
        except ValueError:
            factor = 0.0
        if not 0 < factor < 1e6:
            raise UsageError(f"rate {text!r} is not one of {', '.join(cls.NAMES)} and not a number above 0")
        return cls().scaled(factor)

    def scaled(self, factor: float) -> Rates:
        """The same accounts with so many times the activity."""
        return replace(
            self,
            visits_per_hour=self.visits_per_hour * factor,
            outbound_per_host_hour=self.outbound_per_host_hour * factor,
            probes_per_address_hour=self.probes_per_address_hour * factor,
            calls_per_session=max(3.0, self.calls_per_session * factor**0.5),
            service_calls_per_hour=self.service_calls_per_hour * factor,
            object_calls_per_hour=self.object_calls_per_hour * factor,
            lookups_per_host_hour=self.lookups_per_host_hour * factor,
        )
