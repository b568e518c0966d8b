"""One simulated account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from guardray.simulate.networks import ACCESS, COUNTRIES, address_in
from guardray.simulate.period import Period
from guardray.simulate.randomness import stream, token
from guardray.simulate.rates import Rates
from guardray.simulate.world.network import Interface, Kind, Vpc, build_interfaces, build_vpc
from guardray.simulate.world.people import Person, Workload, build_people, build_workloads
from guardray.simulate.world.storage import Bucket, Trail, build_buckets, build_trails

FlowFormat = Literal["default", "custom", "parquet"]

_COMPANIES = ("harborledger", "quietpine", "bluekettle", "tallgrass", "amberfox", "stonemill", "riverloom", "northquay")
_PLACES = (("eu-west-1", 0), ("eu-central-1", 1), ("us-east-1", -5), ("us-west-2", -8), ("ap-southeast-2", 10))


@dataclass(frozen=True)
class Account:
    """Everything of one account that logs mention. `stream` gives its random streams."""

    seed: int
    id: str
    region: str
    company: str
    period: Period
    rates: Rates
    vpcs: tuple[Vpc, ...]
    interfaces: tuple[Interface, ...]
    people: tuple[Person, ...]
    workloads: tuple[Workload, ...]
    buckets: tuple[Bucket, ...]
    trails: tuple[Trail, ...]  # main, regional, sandbox, archive
    flow_logs: tuple[str, ...]  # one a VPC
    flow_format: FlowFormat
    aggregation_s: int
    office_ips: tuple[int, ...]

    def stream(self, *names: object) -> np.random.Generator:
        """The random stream of these names in this account."""
        return stream(self.seed, self.id, *names)

    @property
    def trail(self) -> Trail:
        """The main trail."""
        return self.trails[0]

    @cached_property
    def domain(self) -> str:
        """The company's own domain."""
        return f"{self.company}.example"

    def alive(self, kind: Kind, time: float) -> list[int]:
        """Positions in `interfaces` of what is of this kind and running at the time."""
        return [i for i, interface in enumerate(self.interfaces) if interface.kind == kind and interface.alive(time)]

    def first(self, kind: Kind) -> int:
        """Position in `interfaces` of the first of this kind; it runs for the whole period."""
        return next(i for i, interface in enumerate(self.interfaces) if interface.kind == kind)

    def permanent(self, *kinds: Kind) -> list[int]:
        """Positions in `interfaces` of everything of these kinds that runs for the whole period."""
        return [i for i, one in enumerate(self.interfaces) if one.kind in kinds and np.isinf(one.ended)]

    def workload(self, role: str) -> Workload:
        return next(workload for workload in self.workloads if workload.role == role)

    def buckets_for(self, *purposes: str) -> list[Bucket]:
        return [bucket for bucket in self.buckets if bucket.purpose in purposes]


def build_account(seed: int, index: int, period: Period, rates: Rates, flow_format: FlowFormat | None) -> Account:
    """The account of this index: the same whatever other accounts there are.

    Without a format, the default version 2 records with 600 s aggregation and a custom format with 60 s alternate.
    """
    rng = stream(seed, "account", index)
    account = "".join(str(digit) for digit in (rng.integers(1, 10), *rng.integers(0, 10, 11)))
    company = f"{_COMPANIES[index % len(_COMPANIES)]}-{token(rng, 3)}"
    region, offset_h = _PLACES[(index + seed) % len(_PLACES)]
    vpcs = tuple(build_vpc(rng, i) for i in range(1 + index % 2))
    interfaces = build_interfaces(seed, account, region, vpcs, rates, period)
    buckets = build_buckets(seed, account, company, rates.buckets)
    access = ACCESS[COUNTRIES[region]]
    offices = [address_in(rng, *access), address_in(rng, *access)]
    chosen: FlowFormat = flow_format or ("custom" if index % 2 == 0 else "default")
    return Account(
        seed=seed,
        id=account,
        region=region,
        company=company,
        period=period,
        rates=rates,
        vpcs=vpcs,
        interfaces=interfaces,
        people=build_people(seed, account, rates.people, access, offices, offset_h),
        workloads=build_workloads(seed, account, region, rates.functions, interfaces[0].public_ip or 0),
        buckets=buckets,
        trails=build_trails(region, account, company, buckets),
        flow_logs=tuple(f"fl-{token(rng, 17)}" for _ in vpcs),
        flow_format=chosen,
        aggregation_s=600 if chosen == "default" else 60,
        office_ips=tuple(offices),
    )
