"""Refuse to make new keys where data exist that were tokenised or sealed with lost ones.

A new token key works, and that is the harm: every customer, card and device is a stranger from then
on, in silence. Keys are created at the first start only, so what a later start leaves behind is the
evidence: other files of the keys' folder, and whatever the caller knows of its data.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

TOKEN_KEYS: Final = "token.json"  # noqa: S105  the name of a file
MASTER_KEYS: Final = "master.json"
CUSTOMER_KEYS: Final = "customers.sqlite3"
_CURE: Final = (
    "Stop the stack (./fraudwatch down), put {name} back into {folder} from the backup of the "
    "keys, and start again (docs/runbooks/keys.md). Without a backup begin anew in another "
    "FRAUDWATCH_HOME"
)


class KeysLost(RuntimeError):
    """A permanent key is missing, and data that were made with it exist."""


def refuse_lost_keys(folder: Path, *evidence: Callable[[], str | None]) -> None:
    """Check the keys of a folder before missing ones are created.

    Each ``evidence`` returns the data that it finds, as a phrase, or None. It is asked only where
    the token keys are missing.

    Raises:
        KeysLost: a missing key belongs to data that exist.
    """
    token, master = folder / TOKEN_KEYS, folder / MASTER_KEYS
    if not token.exists():
        found = _first((lambda: _later_file(folder), *evidence))
        # Another process may have created all of them meanwhile, in this order.
        if found and not token.exists():
            raise KeysLost(
                f"{token} is missing, but {found}: nothing was started, because with a new key "
                "every customer, card and device would be a stranger, and no history would match. "
                + _CURE.format(name=TOKEN_KEYS, folder=folder)
            )
    if not master.exists() and _has_customers(folder / CUSTOMER_KEYS) and not master.exists():
        raise KeysLost(
            f"{master} is missing, but {CUSTOMER_KEYS} has customers' keys that only it opens: "
            "nothing was started, because what is sealed could never be read again. "
            + _CURE.format(name=MASTER_KEYS, folder=folder)
        )


def _first(evidence: Iterable[Callable[[], str | None]]) -> str | None:
    return next((found for one in evidence if (found := one())), None)


def _later_file(folder: Path) -> str | None:
    """Find a file that is created only after the token keys."""
    later = (name for name in (MASTER_KEYS, CUSTOMER_KEYS) if (folder / name).exists())
    return next((f"{name}, which is created after it, is there" for name in later), None)


def _has_customers(store: Path) -> bool:
    if not store.exists():
        return False
    with closing(sqlite3.connect(store, timeout=30.0)) as opened:
        tables = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'customer_key'")
        if tables.fetchone() is None:
            return False
        return opened.execute("SELECT 1 FROM customer_key LIMIT 1").fetchone() is not None
