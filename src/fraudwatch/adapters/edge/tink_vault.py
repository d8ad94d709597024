"""Vault of Tink keysets and a small SQLite store of wrapped customer keys.

Keysets have key ids, so rotation adds a key and old tokens stay attributable. A customer's key is
wrapped by the master keyset; deleting its row (secure_delete overwrites it) is the crypto-erasure.
"""

from __future__ import annotations

import base64
import sqlite3
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec
import tink
from tink import aead, prf, secret_key_access

from fraudwatch.adapters.codecs.purchase_content import content_of
from fraudwatch.adapters.edge.keysets import load_or_create_keyset
from fraudwatch.adapters.edge.lost_keys import (
    CUSTOMER_KEYS,
    MASTER_KEYS,
    TOKEN_KEYS,
    refuse_lost_keys,
)
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.privacy import TokenField, content_hash_input, token_input

_TOKEN_BYTES = 16
_CACHED_TOKENS = 200_000
_CACHED_KEYS = 50_000
# Ingest and the daily extract seal concurrently: one waits for the other's write.
_BUSY_SECONDS = 30.0


class TinkVault:
    """``Vault``: tokens by HMAC-SHA-256 under the primary token key; sealing by AES-256-GCM."""

    def __init__(self, folder: Path) -> None:
        """Open the vault, or create its keys.

        Raises:
            KeysLost: keys are missing beside others that are made after them.
        """
        prf.register()
        aead.register()
        refuse_lost_keys(folder)
        token_keys = load_or_create_keyset(folder / TOKEN_KEYS, prf.prf_key_templates.HMAC_SHA256)
        prfs = token_keys.primitive(prf.PrfSet)
        self._prf, self._prefix = prfs.primary(), f"{prfs.primary_id():08x}_"
        master = load_or_create_keyset(folder / MASTER_KEYS, aead.aead_key_templates.AES256_GCM)
        self._keys = _CustomerKeys(folder / CUSTOMER_KEYS, master.primitive(aead.Aead))
        self.token = lru_cache(_CACHED_TOKENS)(self._token)  # type: ignore[method-assign]

    def token(self, field: TokenField, canonical: str) -> str:
        return self._token(field, canonical)

    def _token(self, field: TokenField, canonical: str) -> str:
        digest = self._prf.compute(token_input(field, canonical), _TOKEN_BYTES)
        return self._prefix + base64.b32encode(digest).decode().rstrip("=").lower()

    def content_hash(self, purchase: Purchase) -> str:
        digest: bytes = self._prf.compute(content_hash_input(content_of(purchase)), _TOKEN_BYTES)
        # In hex: base32 would cost more than the hash.
        return self._prefix + digest.hex()

    def seal(self, customer_token: str, transaction_id: str, personal: Mapping[str, str]) -> str:
        sealed = self._keys.of(customer_token, create=True).encrypt(
            msgspec.json.encode(dict(personal)), transaction_id.encode()
        )
        return base64.b64encode(sealed).decode()

    def open(self, customer_token: str, transaction_id: str, sealed: str) -> dict[str, str]:
        key = self._keys.of(customer_token, create=False)
        try:
            plain = key.decrypt(base64.b64decode(sealed), transaction_id.encode())
        except tink.TinkError as error:
            raise ValueError(
                f"the sealed fields of {transaction_id} do not open with the customer's key: they "
                "were altered or belong to another transaction"
            ) from error
        return msgspec.json.decode(plain, type=dict[str, str])

    def erase(self, customer_token: str) -> bool:
        return self._keys.delete(customer_token)


class _CustomerKeys:
    """One AEAD keyset per customer, wrapped by the master key with the token as context."""

    def __init__(self, path: Path, master: aead.Aead) -> None:
        self._master = master
        self._lock = threading.Lock()
        self._opened: dict[str, aead.Aead] = {}
        self._store = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
        )
        path.chmod(0o600)
        self._store.execute("PRAGMA secure_delete = ON")
        # A key must outlive a crash before anything sealed with it leaves the process.
        self._store.execute("PRAGMA journal_mode = WAL")
        self._store.execute("PRAGMA synchronous = FULL")
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS customer_key"
            " (token TEXT PRIMARY KEY, wrapped BLOB NOT NULL)"
        )

    def of(self, token: str, *, create: bool) -> aead.Aead:
        with self._lock:
            if (known := self._opened.get(token)) is not None:
                return known
            wrapped = self._wrapped(token)
            if wrapped is None and not create:
                raise KeyError(f"no key of customer {token}: erased, or never created here")
            plain = self._master.decrypt(wrapped or self._add(token), token.encode())
            handle = tink.proto_keyset_format.parse(plain, secret_key_access.TOKEN)
            if len(self._opened) >= _CACHED_KEYS:
                self._opened.pop(next(iter(self._opened)))
            self._opened[token] = handle.primitive(aead.Aead)
            return self._opened[token]

    def _wrapped(self, token: str) -> bytes | None:
        found = self._store.execute(
            "SELECT wrapped FROM customer_key WHERE token = ?", (token,)
        ).fetchone()
        return found[0] if found else None

    def _add(self, token: str) -> bytes:
        """Create a key; return the stored one, which may be another process's."""
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        plain: bytes = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
        wrapped = self._master.encrypt(plain, token.encode())
        self._store.execute("INSERT OR IGNORE INTO customer_key VALUES (?, ?)", (token, wrapped))
        stored = self._wrapped(token)
        if stored is None:
            raise KeyError(f"the key of customer {token} was erased while it was created")
        return stored

    def delete(self, token: str) -> bool:
        with self._lock:
            self._opened.pop(token, None)
            gone = self._store.execute("DELETE FROM customer_key WHERE token = ?", (token,))
            # Otherwise the deleted row stays in the write-ahead log.
            self._store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return gone.rowcount > 0
