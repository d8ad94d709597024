"""Console services of memory twins, and accounts to log in with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from argon2.profiles import CHEAPEST

from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.accounts import MemoryAccountStore
from fraudwatch.adapters.memory.casework import (
    MemoryAudit,
    MemoryCases,
    MemoryClaims,
    MemoryRevealer,
    MemoryTallies,
)
from fraudwatch.adapters.memory.handling import MemoryHandlings, MemoryReviews
from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.adapters.memory.verdict_store import MemoryTopic, MemoryVerdictStore
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.decide import Decisions
from fraudwatch.application.console.group_decision import GroupDecisions
from fraudwatch.application.console.handling import CaseHandling
from fraudwatch.application.console.reviews import Reviews
from streamlit_app.console_services import ConsoleServices

DECIDERS = ("ann", "ben", "cleo")
PASSWORDS = {role: f"Correct-Horse-7-{role[::-1]}" for role in Role}


def memory_accounts(clock: Callable[[], datetime]) -> Accounts:
    """One account a role, named as the role, with the passwords above."""
    now_ms = lambda: int(clock().timestamp() * 1_000)  # noqa: E731
    accounts = Accounts(MemoryAccountStore(), Argon2Hasher(CHEAPEST), now_ms)
    accounts.seed(PASSWORDS)
    return accounts


def memory_services(
    store: MemoryVerdictStore,
    clock: Callable[[], datetime],
    personal: Mapping[str, Mapping[str, str]] | None = None,
) -> ConsoleServices:
    """All services of the console in memory; a test switches parts of them off."""
    claims, topic, audit_topic = MemoryClaims(clock), MemoryTopic(), MemoryTopic()
    audit_log = lambda: PublishedAudit(audit_topic, encode)  # noqa: E731
    now_ms = lambda: int(clock().timestamp() * 1_000)  # noqa: E731
    return ConsoleServices(
        alerts=store,
        open_alerts=store,
        cases=MemoryCases(store),
        claims=claims,
        decisions=Decisions(topic, claims, encode, now_ms),
        group_decisions=GroupDecisions(topic, claims, encode, audit_log),
        handling=CaseHandling(MemoryHandlings(), claims, audit_log, lambda: DECIDERS, now_ms),
        reviews=Reviews(MemoryReviews(), store, audit_log, now_ms),
        tallies=MemoryTallies(),
        audit=MemoryAudit(),
        revealer=MemoryRevealer(personal or {}),
        shadow=MemoryShadowStore(),
    )
