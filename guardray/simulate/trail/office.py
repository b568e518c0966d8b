"""What people do on a day: office hours where they live, few on weekends, some from home."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from guardray.simulate.period import HOUR, Period
from guardray.simulate.randomness import pick
from guardray.simulate.rhythm import is_weekend
from guardray.simulate.trail.catalogue import BY_DUTY, fill
from guardray.simulate.trail.events import Call, Caller, caller, denied
from guardray.simulate.trail.identities import Identity, person
from guardray.simulate.trail.templates import CALLS, Templates, calls
from guardray.simulate.world import Account, Person

Tool = Literal["console", "cli", "sdk"]

SESSIONS_ON_WEEKDAYS, SESSIONS_ON_WEEKENDS = 3.0, 0.2
SHARE_AT_HOME = 0.3
SHARE_DENIED = 0.02
SECONDS_BETWEEN_CALLS = 18.0


def office_calls(account: Account, day: Period, templates: Templates) -> pl.DataFrame:
    """The calls that people make on this day."""
    found = [CALLS.to_frame()]
    for who in account.people:
        rng = account.stream("office", who.name, day.start)
        mean = SESSIONS_ON_WEEKENDS if is_weekend(day.start, who.utc_offset_h) else SESSIONS_ON_WEEKDAYS
        place = who.home_ip if rng.random() < SHARE_AT_HOME else who.office_ip
        for _ in range(rng.poisson(mean)):
            hour = float(np.clip(rng.normal(13.0, 2.5), 6.5, 22.0))
            began = day.start + ((hour - who.utc_offset_h) % 24) * HOUR
            if began < day.end:
                found.append(_session(account, who, float(np.floor(began)), place, templates, rng))
    return pl.concat(found)


def _session(
    account: Account, who: Person, began: float, place: int, templates: Templates, rng: np.random.Generator
) -> pl.DataFrame:
    tool: Tool = "console" if who.uses_console and rng.random() < 0.6 else pick(rng, ("cli", "cli", "sdk"))
    identity = person(account, who, began, console=tool == "console")
    by = caller(identity, place, _agent(who, tool), console=tool == "console")
    choices = BY_DUTY[who.duty]
    favourites = rng.permutation(len(choices))[: 3 + int(rng.integers(6))]
    numbers = [_template(account, by, who, tool, choices[i], templates, rng) for i in favourites]
    n = 1 + int(rng.geometric(1 / account.rates.calls_per_session))
    times = began + 5 + np.cumsum(rng.exponential(SECONDS_BETWEEN_CALLS, n))
    work = calls(times, rng.choice(numbers, n))
    sign_in = _sign_in(account, who, place, tool)
    return work if sign_in is None else pl.concat([calls([began], templates.add(*sign_in)), work])


def _template(
    account: Account, by: Caller, who: Person, tool: Tool, call: Call, templates: Templates, rng: np.random.Generator
) -> int:
    filled = fill(call, account, rng, user=who.name)
    if tool == "cli":
        by = Caller(by.identity, by.source, who.cli.format(command=f"{call.service}.{_dashed(call.name)}"))
    return templates.add(by, denied(account, by, filled) if rng.random() < SHARE_DENIED else filled)


def _agent(who: Person, tool: Tool) -> str:
    return {"console": who.browser, "cli": who.cli, "sdk": who.sdk}[tool]


def _dashed(name: str) -> str:
    """An operation as the command line writes it: DescribeInstances is describe-instances."""
    letters = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    return letters.removeprefix("-").rstrip("0123456789v_")


def _sign_in(account: Account, who: Person, place: int, tool: Tool) -> tuple[Caller, Call] | None:
    """How the session began: IAM users sign in to the console, roles are handed out by the identity provider."""
    if who.role:
        return caller(_saml(who), place, who.browser), _assume_with_saml(account, who)
    if tool != "console":
        return None
    identity = {
        "type": "IAMUser",
        "principalId": who.principal_id,
        "arn": who.arn(account.id),
        "accountId": account.id,
        "userName": who.name,
    }
    return caller(identity, place, who.browser), console_login(account)


def console_login(account: Account, mfa: bool = True) -> Call:
    """A successful sign-in to the console."""
    login = f"https://console.aws.amazon.com/console/home?region={account.region}"
    extra = {"LoginTo": login, "MobileVersion": "No", "MFAUsed": "Yes" if mfa else "No"}
    return Call("signin", "ConsoleLogin", None, {"ConsoleLogin": "Success"}, extra={"additionalEventData": extra})


def _saml(who: Person) -> Identity:
    provider = "https://portal.sso.example/saml/assertion"
    return {
        "type": "SAMLUser",
        "principalId": f"{provider}:{who.name}",
        "userName": who.name,
        "identityProvider": provider,
    }


def _assume_with_saml(account: Account, who: Person) -> Call:
    role = f"arn:aws:iam::{account.id}:role/aws-reserved/sso.amazonaws.com/{account.region}/{who.role}"
    user = {"assumedRoleId": who.principal_id, "arn": who.arn(account.id)}
    request = {"roleArn": role, "roleSessionName": who.name, "durationSeconds": 43200}
    resources = ({"accountId": account.id, "type": "AWS::IAM::Role", "ARN": role},)
    return Call("sts", "AssumeRoleWithSAML", request, {"assumedRoleUser": user, "subjectType": "persistent"}, resources)
