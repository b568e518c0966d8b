"""Synthetic AWS logs: deterministic accounts in AWS's real layouts, attacks with labels, and benchmark input."""

from guardray.simulate.attacks import ATTACK_TYPES
from guardray.simulate.rates import Rates
from guardray.simulate.run import Summary, simulate

__all__ = ["ATTACK_TYPES", "Rates", "Summary", "simulate"]
