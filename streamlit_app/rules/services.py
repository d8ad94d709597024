"""Services of the Rules page, wired from the settings of the console."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.adapters.artefacts.policy_seed import used_contents
from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint
from fraudwatch.adapters.edge.airflow_backtests import AirflowBacktests
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.policy.decisions import PolicyDecisions
from fraudwatch.application.policy.drafts import Backtests, PolicyDrafts
from fraudwatch.application.policy.going_live import GoingLive, UsedContent
from fraudwatch.application.policy.versions import PolicyStore
from fraudwatch.policy_settings import AirflowBacktestSettings, PolicyConsoleSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesServices:
    """Use cases of the page."""

    going_live: GoingLive
    drafts: PolicyDrafts
    decisions: PolicyDecisions
    used: Callable[[], Iterable[UsedContent]]  # by the detector
    are_hand_edits_used: bool
    shipped: bytes  # the default policy of this version

    @property
    def store(self) -> PolicyStore:
        """Live policy, history and drafts."""
        return self.going_live.store


def open_rules(audit_log: Callable[[], AuditLog]) -> RulesServices:
    """Wire the services; nothing is connected to yet."""
    policy, airflow = PolicyConsoleSettings(), AirflowBacktestSettings()
    password = airflow.airflow_password.get_secret_value()
    endpoint = AirflowEndpoint(airflow.airflow_url, airflow.airflow_login, password)
    return rules_services(
        PolicyFolder(policy.folder),
        AirflowBacktests(endpoint, airflow.folder),
        audit_log,
        policy.detector_folder,
        policy.default_path.read_bytes(),
        are_hand_edits_used=policy.hand_edits,
    )


def rules_services(
    store: PolicyStore,
    backtests: Backtests,
    audit_log: Callable[[], AuditLog],
    detector_folder: Path,
    shipped: bytes,
    *,
    are_hand_edits_used: bool = True,
) -> RulesServices:
    """Build the services over these ports."""
    going_live = GoingLive(
        store=store,
        audit_log=audit_log,
        parse=lambda contents: parse_rules(*contents),
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    return RulesServices(
        going_live=going_live,
        drafts=PolicyDrafts(going_live=going_live, backtests=backtests),
        decisions=PolicyDecisions(going_live=going_live),
        used=lambda: used_contents(detector_folder),
        are_hand_edits_used=are_hand_edits_used,
        shipped=shipped,
    )
