"""The keys that are good now, in memory, so that a request waits for no query, whether its key is known or not."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guardray.access.binding import binding_of
from guardray.access.identity import Role
from guardray.access.seal import Seal
from guardray.store.access_keys import AccessKeys, KeyRecord
from guardray.types import AccountId, Region

REFRESH = timedelta(seconds=1)
"""How long a new key may take to be known, and a revoked one to be refused. Each refresh is one small query."""

USE_NOTED_EVERY = timedelta(hours=1)
"""How exactly it is kept when a key was used last: a write for each request would be slower than the request."""

_ROLES = frozenset(Role)


@dataclass(frozen=True)
class ActiveKey:
    """A key or token that is good.

    Attributes:
        secret: of signing keys the secret itself, of tokens the hash that is kept.
    """

    id: str
    account_id: AccountId
    regions: frozenset[Region] | None
    role: Role
    binding: str
    secret: str = field(repr=False)

    def covers(self, region: Region) -> bool:
        return self.regions is None or region in self.regions


@dataclass(frozen=True)
class _Loaded:
    version: tuple[int, int]
    signing: Mapping[str, ActiveKey]
    tokens: Mapping[str, ActiveKey]


class Keyring:
    """Keys of a store that are neither revoked nor sealed with another key than this. Threads may share it."""

    def __init__(self, keys: AccessKeys, seal: Seal) -> None:
        self.seal = seal
        self._keys = keys
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._looked_at: datetime | None = None
        self._used: dict[str, datetime] = {}
        self._noted: dict[str, datetime] = {}

    def signing_key(self, key_id: str, now: datetime) -> ActiveKey | None:
        """The key that signs requests under this id. Raises StoreError when the store cannot be asked."""
        return self._current(now).signing.get(key_id)

    def token(self, key_id: str, now: datetime) -> ActiveKey | None:
        """The token with this id. Raises StoreError when the store cannot be asked."""
        return self._current(now).tokens.get(key_id)

    def used(self, key_id: str, now: datetime) -> None:
        """Remember that a key was used, for `save_use`."""
        noted = self._noted.get(key_id)
        if noted is None or now - noted >= USE_NOTED_EVERY:
            with self._lock:
                self._noted[key_id] = self._used[key_id] = now

    def save_use(self) -> None:
        """Write down which keys were used since the last time; to be called now and then, away from requests."""
        with self._lock:
            used, self._used = self._used, {}
        self._keys.note_use(used)

    def _current(self, now: datetime) -> _Loaded:
        loaded = self._fresh(now)
        if loaded is not None:
            return loaded
        with self._lock:
            loaded = self._fresh(now)  # another thread may have been faster
            if loaded is not None:
                return loaded
            loaded, version = self._loaded, self._keys.version()
            if loaded is None or version != loaded.version:
                loaded = self._load(version)
            self._loaded, self._looked_at = loaded, now
            return loaded

    def _fresh(self, now: datetime) -> _Loaded | None:
        # A clock that was set back must not keep what was revoked since.
        is_fresh = self._looked_at is not None and timedelta(0) <= now - self._looked_at < REFRESH
        return self._loaded if is_fresh else None

    def _load(self, version: tuple[int, int]) -> _Loaded:
        signing: dict[str, ActiveKey] = {}
        tokens: dict[str, ActiveKey] = {}
        for record in self._keys.records():
            key = self._active(record)
            if key is not None:
                (signing if record.kind == "signing" else tokens)[key.id] = key
        return _Loaded(version, signing, tokens)

    def _active(self, record: KeyRecord) -> ActiveKey | None:
        if record.revoked_at is not None or record.sealed_by != self.seal.name or record.role not in _ROLES:
            return None
        binding = binding_of(record)
        # A token's hash covers its binding as well, which shows when it is used.
        secret = self.seal.open(record.secret, binding) if record.kind == "signing" else record.secret
        if secret is None:
            return None
        return ActiveKey(record.id, record.account_id, record.regions, Role(record.role), binding, secret)
