"""Synthetic AWS logs: deterministic accounts in AWS's real layouts, attacks with labels, and benchmark input."""

from guardray.simulate.attacks import ATTACK_TYPES, attack_types
from guardray.simulate.benchmark import BenchmarkInput, BenchmarkSource, benchmark_input
from guardray.simulate.rates import Rates
from guardray.simulate.run import Summary, simulate

__all__ = [
    "ATTACK_TYPES",
    "BenchmarkInput",
    "BenchmarkSource",
    "Rates",
    "Summary",
    "attack_types",
    "benchmark_input",
    "simulate",
]
