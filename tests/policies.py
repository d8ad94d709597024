"""Policies, lists, audit and backtests for tests of policy changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.application.policy.drafts import BacktestStatus
from fraudwatch.application.policy.going_live import GoingLive
from fraudwatch.application.policy.versions import (
    LiveVersion,
    Origin,
    PolicyContents,
    PolicyRefused,
    PolicyStore,
)
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT
from fraudwatch.samples import NOON_MS
from fraudwatch.stack.home import ROOT

DEFAULT = (ROOT / "contracts/policies/default.yaml").read_bytes()
LIVE = PolicyContents(DEFAULT, NO_LISTS_DOCUMENT)
OTHER = PolicyContents(DEFAULT.replace(b"alerts_a_day: 60", b"alerts_a_day: 40"), LIVE.lists)


@dataclass
class AuditRecorder:
    """Audit log in memory; a test switches it off."""

    records: list[AuditRecord] = field(default_factory=list)
    is_down: bool = False

    def write(self, record: AuditRecord) -> None:
        if self.is_down:
            raise NotDelivered
        self.records.append(record)

    def actions(self) -> list[tuple[AuditAction, str]]:
        return [(one.deed, one.by) for one in self.records]


@dataclass
class ScriptedBacktests:
    """Backtests whose status a test sets."""

    now: BacktestStatus = field(default_factory=BacktestStatus)
    refusal: str = ""
    started: list[tuple[str, str, str]] = field(default_factory=list)

    def start(self, contents: PolicyContents, first: str, last: str) -> str:
        if self.refusal:
            raise PolicyRefused(self.refusal)
        self.started.append((contents.sha256, first, last))
        return f"run-{len(self.started)}"

    def status(self, run_id: str, contents: PolicyContents) -> BacktestStatus:
        assert run_id == f"run-{len(self.started)}"
        assert self.started[-1][0] == contents.sha256
        return self.now


def going_live(store: PolicyStore, audit: AuditRecorder) -> GoingLive:
    """Changes of this store, an hour after its first version."""
    return GoingLive(
        store=store,
        audit_log=lambda: audit,
        parse=lambda contents: parse_rules(*contents),
        now_ms=lambda: NOON_MS + 3_600_000,
    )


def seeded(store: PolicyStore, contents: PolicyContents = LIVE) -> None:
    """Record the first version of a home."""
    store.record(
        LiveVersion(
            version=parse_rules(*contents).version,
            policy_sha256=contents.policy_sha256,
            lists_sha256=contents.lists_sha256,
            at_ms=NOON_MS,
            origin=Origin.SEEDED,
            drafted_by="operator",
            promoted_by="operator",
            reason="the shipped default",
        ),
        contents,
    )
    store.replace_live(contents)


def a_result(contents: PolicyContents, **changes: Any) -> dict[str, Any]:
    """Numbers of a backtest, as the job writes them."""
    numbers = {
        "judged": 1_000, "alerts": 50, "alerts_per_day": 50.0,
        "outcomes_per_day": {"review": 40.0, "challenge": 0.0, "decline": 10.0},
        "alerts_without_a_rule": 5, "known_frauds": 20, "precision_of_decided": 0.4,
        "precision_of_labelled": 0.5, "recall": 0.8,
        "money": {
            "caught_eur_cents": 900_000, "declined_eur_cents": 300_000,
            "challenged_eur_cents": 0, "missed_eur_cents": 100_000,
            "wrongly_blocked_eur_cents": 20_000, "value_recall_ratio": 0.9,
        },
        "card_precision_at_100": 0.2, "card_precision_at_100_perfect": 0.3,
    }  # fmt: skip
    return {
        "policy": {"name": "pasted", "contents_sha256": contents.sha256},
        "from": "2026-01-08",
        "until": "2026-01-14",
        "labels_known_until": "2026-01-15T12:00:00+00:00",
        "coverage": {"purchases": 1_000, "judged": 1_000},
        "live": numbers,
        "candidate": numbers | {"alerts": 33, "alerts_per_day": 33.0, "recall": 0.7},
        "lost_frauds": [
            {
                "transaction_id": "shop:7",
                "at": "2026-01-10T09:30:00+00:00",
                "amount_eur_cents": 125_000,
                "merchant_id": "m-1",
            }
        ],
    } | changes
