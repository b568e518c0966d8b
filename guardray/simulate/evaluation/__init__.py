"""Accounts to measure detectors of behaviour on: four weeks of change, and intruders in the last two.

Attacks follow published incidents, not what the detectors look for; what is harmless outnumbers them, and much of it is
as new to the account as an attack is.
"""

from guardray.simulate.evaluation.happening import ATTACKS_FROM_DAY, Happening
from guardray.simulate.evaluation.scenario import DAYS, write_evaluation

__all__ = ["ATTACKS_FROM_DAY", "DAYS", "Happening", "write_evaluation"]
