"""The forms of `userIdentity`."""

from __future__ import annotations

from typing import Any

import numpy as np

from guardray.simulate.randomness import KEY_LETTERS, stream, token
from guardray.simulate.rendering import utc_times
from guardray.simulate.world import Account, Person, Workload

Identity = dict[str, Any]


def session_key(*names: object) -> str:
    """The access key id of a temporary session, always the same for the same names."""
    return f"ASIA{token(stream('session', *names), 16, KEY_LETTERS)}"


def _issuer(account: str, role: str, role_id: str, path: str = "") -> dict[str, str]:
    return {
        "type": "Role",
        "principalId": role_id,
        "arn": f"arn:aws:iam::{account}:role/{path}{role}",
        "accountId": account,
        "userName": role,
    }


def _attributes(began: float, mfa: bool) -> dict[str, str]:
    return {"creationDate": utc_times(np.array([began]))[0], "mfaAuthenticated": "true" if mfa else "false"}


def person(account: Account, who: Person, began: float, *, console: bool = False) -> Identity:
    """A person's IAM user, or their session of a role that began at this time."""
    identity: Identity = {
        "type": "AssumedRole" if who.role else "IAMUser",
        "principalId": who.principal_id,
        "arn": who.arn(account.id),
        "accountId": account.id,
        "accessKeyId": who.access_key if not (who.role or console) else session_key(account.id, who.name, began),
    }
    if who.role:
        path = f"aws-reserved/sso.amazonaws.com/{account.region}/"
        issuer = _issuer(account.id, who.role, who.principal_id.split(":")[0], path)
        identity["sessionContext"] = {"sessionIssuer": issuer, "attributes": _attributes(began, False)}
    else:
        identity["userName"] = who.name
        if console:
            identity["sessionContext"] = {"attributes": _attributes(began, True)}
    return identity


def workload(account: Account, of: Workload, began: float, session: str = "") -> Identity:
    """A program's session of its role; on an instance the session is named after the instance."""
    name = session or of.session
    context: dict[str, Any] = {
        "sessionIssuer": _issuer(account.id, of.role, of.role_id),
        "attributes": _attributes(began, False),
    }
    if of.service == "ec2":
        context["ec2RoleDelivery"] = "2.0"
    identity: Identity = {
        "type": "AssumedRole",
        "principalId": f"{of.role_id}:{name}",
        "arn": of.arn(account.id, name),
        "accountId": account.id,
        "accessKeyId": session_key(account.id, of.role, name, began),
        "sessionContext": context,
    }
    if of.service == "lambda":
        function = f"arn:aws:lambda:{account.region}:{account.id}:function:{name}"
        identity["inScopeOf"] = {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": function}
    return identity


def task(account: Account, role: str, task_id: str, began: float) -> Identity:
    """A session of a container task's role, named after the task."""
    role_id = f"AROA{token(account.stream('task role', role), 17, KEY_LETTERS)}"
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{task_id}",
        "arn": f"arn:aws:sts::{account.id}:assumed-role/{role}/{task_id}",
        "accountId": account.id,
        "accessKeyId": session_key(account.id, role, task_id, began),
        "sessionContext": {
            "sessionIssuer": _issuer(account.id, role, role_id),
            "attributes": _attributes(began, False),
        },
    }


def service_role(account: Account, name: str, of: str, began: float) -> Identity:
    """A service's session of the role that AWS linked to it, such as `AWSServiceRoleForAutoScaling`."""
    role_id = f"AROA{token(account.stream('service role', name), 17, KEY_LETTERS)}"
    session = name.removeprefix("AWSServiceRoleFor")
    return {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session}",
        "arn": f"arn:aws:sts::{account.id}:assumed-role/{name}/{session}",
        "accountId": account.id,
        "accessKeyId": session_key(account.id, name, began),
        "sessionContext": {
            "sessionIssuer": _issuer(account.id, name, role_id, f"aws-service-role/{of}/"),
            "attributes": _attributes(began, False),
        },
        "invokedBy": of,
    }


def root(account: Account, began: float, *, invoked_by: str = "", assumed: bool = False) -> Identity:
    """The account's root user: signed in, used by a service on its behalf, or a session of sts AssumeRoot."""
    context: dict[str, Any] = {"attributes": _attributes(began, not assumed)}
    identity: Identity = {
        "type": "Root",
        "principalId": account.id,
        "arn": f"arn:aws:iam::{account.id}:root",
        "accountId": account.id,
        "accessKeyId": session_key(account.id, "root", assumed, began),
        "sessionContext": context,
    }
    if assumed:
        context["assumedRoot"] = "true"
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def service(name: str) -> Identity:
    """An AWS service acting for itself."""
    return {"type": "AWSService", "invokedBy": name}
