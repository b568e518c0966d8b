"""Making and revoking keys."""

from __future__ import annotations

import json
import re

import pytest
from access.conftest import ACCOUNT

from guardray.access.identity import Role
from guardray.access.issue import issue, revoke, seal_for
from guardray.access.seal import ENVIRONMENT, FILE_NAME, Seal, make_seal, new_key
from guardray.errors import UsageError


def test_ids_and_secrets_have_the_form_of_awss_and_say_whose_they_are(new):
    key, token = new(), new(kind="token")
    assert re.fullmatch(r"GRAK[A-Z2-7]{16}", key.record.id)
    assert re.fullmatch(r"[A-Za-z0-9]{40}", key.secret)
    assert re.fullmatch(r"GRTK[A-Z2-7]{16}\.[A-Za-z0-9]{40}", token.secret)


def test_no_two_are_the_same(new):
    issued = [new() for _ in range(20)]
    assert len({one.record.id for one in issued} | {one.secret for one in issued}) == 40


def test_a_secret_does_not_show_by_accident(new):
    issued = new()
    assert issued.secret not in repr(issued)
    assert issued.record.secret not in repr(issued)


@pytest.mark.parametrize("account_id", ["", "1", "1111222233334", "11112222333x", "\u0661" * 12])
def test_what_is_no_account_is_refused(new, keys, account_id):
    with pytest.raises(UsageError, match="12 digits"):
        new(account_id=account_id)
    assert keys.records() == []


@pytest.mark.parametrize("region", ["", "europe", "eu-west-1,us-east-1", "*", "EU-WEST-1", "eu-west-1|x"])
def test_what_is_no_region_is_refused(new, keys, region):
    with pytest.raises(UsageError, match="is no Region"):
        new(regions=[region])
    assert keys.records() == []


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-east-1", "ap-southeast-7", "us-iso-east-1", "eusc-de-east-1"])
def test_regions_of_every_partition_are_known(new, region):
    assert new(regions=[region]).record.regions == {region}


def test_keys_of_two_sealing_keys_are_not_mixed(new, keys, clock):
    issued = new()
    wanted = {"kind": "signing", "account_id": ACCOUNT, "role": Role.READER, "regions": None, "actor": "x"}
    other = Seal(new_key())
    with pytest.raises(UsageError, match=f"another sealing key \\({issued.record.id}\\)"):
        issue(keys, other, now=clock.now, **wanted)
    revoke(keys, issued.record.id, actor="x", now=clock.now)
    issue(keys, other, now=clock.now, **wanted)


def test_a_service_that_starts_without_the_sealing_key_of_its_keys_is_told(keys, tmp_path, clock, monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    wanted = {"kind": "token", "account_id": ACCOUNT, "role": Role.READER, "regions": None, "actor": "x"}
    seal = seal_for(keys, tmp_path)
    ids = [issue(keys, seal, now=clock.now, **wanted).record.id for _ in range(4)]
    assert seal_for(keys, tmp_path).name == seal.name
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(UsageError, match="the sealing key is not there") as caught:
        seal_for(keys, tmp_path)
    assert sum(one in str(caught.value) for one in ids) == 3
    make_seal(tmp_path)
    with pytest.raises(UsageError, match="another sealing key"):
        seal_for(keys, tmp_path)


def test_making_and_revoking_are_in_the_audit_log(new, keys, audit, clock):
    issued = new("analyst", regions=["eu-west-1"])
    clock.move(hours=1)
    revoke(keys, issued.record.id, actor="local:bob", now=clock.now)
    revoked, made = audit.entries()
    assert (made.actor, made.operation, made.account_id) == ("local:test", "CreateKey", ACCOUNT)
    assert json.loads(made.parameters) == {
        "id": issued.record.id,
        "kind": "signing",
        "role": "analyst",
        "regions": ["eu-west-1"],
    }
    assert (revoked.actor, revoked.operation, revoked.time) == ("local:bob", "RevokeKey", clock.now)
    assert issued.secret not in made.parameters


def test_a_key_is_revoked_once_and_an_unknown_one_never(new, keys, clock):
    issued = new()
    revoke(keys, issued.record.id, actor="x", now=clock.now)
    with pytest.raises(UsageError, match="is revoked already"):
        revoke(keys, issued.record.id, actor="x", now=clock.now)
    with pytest.raises(UsageError, match="GRAKX: no key has this id"):
        revoke(keys, "GRAKX", actor="x", now=clock.now)
