"""The page of features: what models of behaviour see of each kind of row, with units and ranges."""

from __future__ import annotations

from guardray.detectors.activity import HALF_LIFE
from guardray.detectors.behaviour import CROWD_OTHERS
from guardray.detectors.features import Feature, FeatureSpec, specs_of
from guardray.detectors.loader import load_detectors
from guardray.shards.learned import KEPT
from guardray.shards.levels import LEVEL_DAYS
from guardray.shards.rhythms import RHYTHM_DAYS
from guardray_docs.finding_types import table

PAGE = """# What models of behaviour see

<!-- Generated from the detectors by `make docs`; do not edit. -->

A detector of behaviour looks at whole days: events that are alike are one row, beside what was usual on days before.
Of each row that is new in any way, and of no other, models see the numbers below. They are declared once, as a
`FeatureSpec` in the detectors, for scoring, for training and for notebooks. Every number is one-sided: 0 is as usual,
more is more unusual. What is not told counts as usual.

What they are made of is learned by days of event time, so that the same events give the same numbers however they were
cut and whatever engine reads them:

- **Values**: on how many days each was seen, when first and last, and a weight, in which a day counts half after
  {half_life} days. What was not seen for {kept} days is forgotten. What a finding told of counts as seen and weighs
  nothing.
- **Whose**: the principal, its peers (users, people who take a role, instances, programs, federated identities) and the
  account. The name of a session makes no principal. A value that the principal is not known by is as likely as with its
  peers, and with them as in the account.
- **Crowds**: who else does the same on the day. A network, country or program that at least {crowd_others} others go on
  with their usual work from is as likely as they are many among those of their kind, people or programs; an operation,
  where they call it from where and with what they always do. This is counted within the day and not learned.
- **Amounts**: the latest {level_days} days with any. A day's deviation is that of logarithms, from the median and in
  median absolute deviations.
- **Hours**: those of the latest {rhythm_days} days; a day tells most of the same day of the week, and a weekend little
  of other days.

{sections}
"""


def page() -> str:
    """The whole page, from the detectors as they are."""
    specs = specs_of(load_detectors())
    return PAGE.format(
        half_life=HALF_LIFE.days,
        kept=KEPT.days,
        crowd_others=CROWD_OTHERS,
        level_days=LEVEL_DAYS,
        rhythm_days=RHYTHM_DAYS,
        sections="\n".join(map(_section, specs)),
    )


def _section(spec: FeatureSpec) -> str:
    rows = [(f"`{one.name}`", one.words, one.unit, _range(one)) for one in spec.features]
    learned = f"Learned: {_learned(spec)}."
    parts = (f"## {spec.name}", learned, table(("Feature", "What there is of it", "Unit", "Range"), rows))
    return "\n\n".join(parts) + "\n"


def _range(feature: Feature) -> str:
    most = "" if feature.most is None else f" to {feature.most:g}"
    return f"{feature.least:g}{most}" if most else f"from {feature.least:g} on"


def _learned(spec: FeatureSpec) -> str:
    activity = spec.activity
    values = dict.fromkeys(" and ".join(f"`{name}`" for name in habit.value) for habit in activity.habits.values())
    amounts = ", ".join(f"`{name}`" for name in activity.levels)
    return f"the values of {', '.join(values)}; the amounts {amounts}; hours"
