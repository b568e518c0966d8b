"""The gate: every request passes it, or is refused with the error that its sender is told."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from guardray.access import refusals
from guardray.access.auditing import entry_of
from guardray.access.canonical import check_form
from guardray.access.claims import claim_of
from guardray.access.identity import Holder, Identity
from guardray.access.keyring import ActiveKey, Keyring
from guardray.access.permissions import allows, is_change
from guardray.access.rate import Rate, RateLimiter
from guardray.access.replay import ReplayGuard
from guardray.access.request import Request
from guardray.access.seal import Seal
from guardray.access.sigv4 import expiry, verify
from guardray.errors import AccessRefusedError
from guardray.store.access_audit import AuditLog
from guardray.store.access_keys import AccessKeys

_BEARER = "Bearer "
_DECOY = secrets.token_hex(32)  # no token hashes to it


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


class Gate:
    """Credentials, roles and rates for one process; threads may share it.

    What came before and how often is remembered in this process only: where several serve, a request may be repeated
    once at each, and a key has its rate at each.
    """

    def __init__(
        self,
        keys: AccessKeys,
        audit: AuditLog,
        seal: Seal,
        *,
        rate: Rate | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._keys, self._audit = keys, audit
        self._keyring = Keyring(keys, seal)
        self._rates = RateLimiter(rate or Rate())
        self._replays = ReplayGuard()
        self._clock = clock

    @classmethod
    def open(cls, url: str, seal: Seal, *, rate: Rate | None = None) -> Gate:
        """The gate to the store at `url`, see `FindingStore.open`."""
        return cls(AccessKeys.open(url), AuditLog.open(url), seal, rate=rate)

    def admit(self, request: Request, operation: str | None = None) -> Identity:
        """Who calls an operation of GuardDuty's, by the signature of the request.

        Args:
            operation: by its name in the model; null where the path leads to none, which only those are to be told who
                have credentials. Roles are not asked then.

        Raises:
            AccessRefusedError: the request may not go on.
            StoreError: the store cannot be asked.
        """
        now = self._clock()
        identity = self._verified(request, operation, now)
        if operation is not None and not allows(identity.role, operation):
            raise self._denied(refusals.wrong_role(identity, operation), identity, request, operation, now)
        return identity

    def plain(self, request: Request, operation: str) -> Holder:
        """Who calls an operation of our own, by a bearer token or a signature.

        Args:
            operation: `QUERY` or `INGEST` of `guardray.access.permissions`.

        Raises:
            AccessRefusedError: the request may not go on.
            StoreError: the store cannot be asked.
        """
        now = self._clock()
        authorization = request.header("authorization") or ""
        if authorization.startswith(_BEARER):
            holder = self._holder(request, authorization.removeprefix(_BEARER).strip(), now)
        elif not authorization and "X-Amz-Signature" not in request.query:
            raise refusals.no_token()
        else:
            signer = self._verified(request, operation, now)
            holder = Holder(signer.account_id, frozenset({signer.region}), signer.role, signer.key_id)
        if not allows(holder.role, operation):
            raise self._denied(refusals.wrong_role(holder, operation), holder, request, operation, now)
        return holder

    def forget(self, request: Request) -> None:
        """Let a signed request that was admitted come again: it failed, and its client may try it as it is."""
        claim = claim_of(request)
        self._replays.forget(claim.signature, expiry(claim))

    def save_use(self) -> None:
        """Write down which keys were used; to be called every few minutes, away from requests."""
        self._keyring.save_use()

    def close(self) -> None:
        """Write down which keys were used, and let go of the store."""
        self.save_use()
        self._keys.close()
        self._audit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _verified(self, request: Request, operation: str | None, now: datetime) -> Identity:
        claim, key = verify(request, self._keyring, now)
        changes = request.method != "GET" if operation is None else is_change(operation)
        expires = expiry(claim)
        self._replays.admit(claim.signature, _call(request), is_change=changes, expires=expires, now=now)
        try:
            self._rates.take(key.id, now)
        except AccessRefusedError:
            self._replays.forget(claim.signature, expires)
            raise
        identity = Identity(key.account_id, claim.region, key.role, key.id)
        if not key.covers(claim.region):
            raise self._denied(refusals.wrong_region(identity), identity, request, operation, now)
        self._keyring.used(key.id, now)
        return identity

    def _holder(self, request: Request, token: str, now: datetime) -> Holder:
        check_form(request)
        key = self._token_key(token, now)
        self._rates.take(key.id, now)
        self._keyring.used(key.id, now)
        return Holder(key.account_id, key.regions, key.role, key.id)

    def _token_key(self, token: str, now: datetime) -> ActiveKey:
        key_id, _, secret = token.partition(".")
        key = self._keyring.token(key_id, now)
        kept, binding = (_DECOY, key_id) if key is None else (key.secret, key.binding)
        is_right = hmac.compare_digest(self._keyring.seal.hashed(secret, binding), kept)
        if key is None or not is_right:
            raise refusals.unknown_token()
        return key

    def _denied(
        self,
        refusal: AccessRefusedError,
        caller: Identity | Holder,
        request: Request,
        operation: str | None,
        now: datetime,
    ) -> AccessRefusedError:
        """The refusal; an attempt at a change is kept in the audit log."""
        if operation is not None and is_change(operation):
            self._audit.append(entry_of(caller, request, operation, {"path": request.path}, now, refusal.code))
        return refusal


def _call(request: Request) -> str:
    """What AWS's clients tell calls and attempts apart by."""
    return f"{request.header('amz-sdk-invocation-id')}|{request.header('amz-sdk-request')}"
