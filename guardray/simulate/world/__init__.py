"""What exists in a simulated account: networks, hosts, people, roles, buckets."""

from guardray.simulate.world.account import Account, FlowFormat, build_account
from guardray.simulate.world.network import Interface, Kind, Vpc
from guardray.simulate.world.people import Person, Workload
from guardray.simulate.world.storage import Bucket, Trail

__all__ = [
    "Account",
    "Bucket",
    "FlowFormat",
    "Interface",
    "Kind",
    "Person",
    "Trail",
    "Vpc",
    "Workload",
    "build_account",
]
