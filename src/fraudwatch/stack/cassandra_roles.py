"""Grant each component's Cassandra role the least privileges it needs, table by table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cassandra.cluster import Session

from fraudwatch.adapters.store.session import DRIVER_ERRORS, KEYSPACE

LoginCheck = Callable[[str, str], bool]

# A grant on the keyspace could not be narrowed later, and MODIFY includes TRUNCATE unless
# cassandra.yaml sets `drop_truncate_table_enabled: false`, which ours does.
RIGHTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "persister": {
        "verdict_by_transaction": frozenset({"SELECT", "MODIFY"}),
        "alert_by_hour": frozenset({"SELECT", "MODIFY"}),
        "open_alert": frozenset({"SELECT", "MODIFY"}),
        "open_alert_fill": frozenset({"SELECT", "MODIFY"}),
        "transaction_by_customer": frozenset({"SELECT", "MODIFY"}),
        "purchase_by_token": frozenset({"SELECT", "MODIFY"}),
        "purchase_by_token_fill": frozenset({"SELECT", "MODIFY"}),
        "refund_by_transaction": frozenset({"SELECT", "MODIFY"}),
        "alert_by_customer": frozenset({"SELECT", "MODIFY"}),
        "alert_by_merchant": frozenset({"SELECT", "MODIFY"}),
        "alert_by_rule": frozenset({"SELECT", "MODIFY"}),
        "label_by_transaction": frozenset({"SELECT", "MODIFY"}),
        "label_by_day": frozenset({"SELECT", "MODIFY"}),
        "audit_by_day": frozenset({"SELECT", "MODIFY"}),
    },
    # For the verdict of a repeated purchase.
    "ingest": {"verdict_by_transaction": frozenset({"SELECT"})},
    "rest_api": {
        "verdict_by_transaction": frozenset({"SELECT"}),
        "alert_by_hour": frozenset({"SELECT"}),
        "alert_by_customer": frozenset({"SELECT"}),
        "alert_by_merchant": frozenset({"SELECT"}),
        "alert_by_rule": frozenset({"SELECT"}),
        "transaction_by_customer": frozenset({"SELECT"}),
        "label_by_transaction": frozenset({"SELECT"}),
        "refund_by_transaction": frozenset({"SELECT"}),
    },
    "reconciler": {"verdict_by_transaction": frozenset({"SELECT"})},
    "tally": {"tally_by_day": frozenset({"SELECT", "MODIFY"})},
    "notifier": {"transaction_by_customer": frozenset({"SELECT"})},
    "shadow": {
        "shadow_comparison": frozenset({"SELECT", "MODIFY"}),
        "shadow_count": frozenset({"SELECT", "MODIFY"}),
        "shadow_example": frozenset({"SELECT", "MODIFY"}),
        "shadow_outcome": frozenset({"SELECT", "MODIFY"}),
    },
    "console": {
        "tally_by_day": frozenset({"SELECT"}),
        "verdict_by_transaction": frozenset({"SELECT"}),
        "alert_by_hour": frozenset({"SELECT"}),
        "label_by_transaction": frozenset({"SELECT"}),
        "label_by_day": frozenset({"SELECT"}),
        "transaction_by_customer": frozenset({"SELECT"}),
        "purchase_by_token": frozenset({"SELECT"}),
        "refund_by_transaction": frozenset({"SELECT"}),
        "claim": frozenset({"SELECT", "MODIFY"}),
        "open_alert": frozenset({"SELECT"}),
        "case_handling": frozenset({"SELECT", "MODIFY"}),
        "open_review": frozenset({"SELECT", "MODIFY"}),
        "decided_review": frozenset({"SELECT", "MODIFY"}),
        "audit_by_day": frozenset({"SELECT"}),
        "shadow_comparison": frozenset({"SELECT"}),
        "shadow_count": frozenset({"SELECT"}),
        "shadow_example": frozenset({"SELECT"}),
        "shadow_outcome": frozenset({"SELECT"}),
    },
}


class RoleRefused(RuntimeError):
    """Cassandra refused to create or change a role; the message names it, never its password."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A permission on one resource, as Cassandra lists it."""

    resource: str
    right: str

    @property
    def target(self) -> str:
        """Resource as GRANT and REVOKE name it: ``<table a.b>`` becomes ``TABLE a.b``."""
        kind, _, name = self.resource.strip("<>").partition(" ")
        return f"{kind.upper()} {name}".strip()


def ensure_roles(session: Session, passwords: Mapping[str, str], login: LoginCheck) -> int:
    """Create every role of :data:`RIGHTS` with its password and grant exactly its rights.

    Args:
        session: session of a superuser.
        passwords: password by role.
        login: whether this role can log in with this password.

    Returns:
        Number of rights granted or revoked; 0 when nothing changed.
    """
    changes = 0
    for role, tables in RIGHTS.items():
        _ensure_login(session, role, passwords[role], login)
        wanted = {
            Grant(f"<table {KEYSPACE}.{table}>", right)
            for table, rights in tables.items()
            for right in rights
        }
        changes += _ensure_rights(session, role, wanted)
    return changes


def forget_cached_login(session: Session, role: str) -> None:
    """Clear the role's cached password on this node, which would accept it for another minute."""
    session.execute("DELETE FROM system_views.credentials_cache_keys WHERE role = %s", (role,))


def make_role(session: Session, role: str, password: str, *, is_superuser: bool = False) -> None:
    """Create the role with this password; an existing role is not changed."""
    _execute_with_password(
        session, "CREATE ROLE IF NOT EXISTS", role, password, is_superuser=is_superuser
    )


def quoted(text: str) -> str:
    """Quote a CQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _ensure_login(session: Session, role: str, password: str, login: LoginCheck) -> None:
    make_role(session, role, password)
    # Check first, because Cassandra refuses to set a password twice within five seconds.
    if not login(role, password):
        _execute_with_password(session, "ALTER ROLE", role, password, is_superuser=False)
        forget_cached_login(session, role)


def _execute_with_password(
    session: Session, verb: str, role: str, password: str, *, is_superuser: bool
) -> None:
    # DDL cannot bind values, so the password is part of the text.
    options = f"PASSWORD = {quoted(password)} AND LOGIN = true AND SUPERUSER = {is_superuser}"
    try:
        session.execute(f'{verb} "{role}" WITH {options}')
    except DRIVER_ERRORS as error:
        # The error may quote the statement with the password: do not show or chain it.
        raise RoleRefused(
            f"{verb} {role} failed ({type(error).__name__}); if its password was just changed, "
            "wait five seconds and run again"
        ) from None


def _ensure_rights(session: Session, role: str, wanted: set[Grant]) -> int:
    listed = session.execute(f"LIST ALL PERMISSIONS OF {role}")
    given = {Grant(row["resource"], row["permission"]) for row in listed}
    for grant in sorted(wanted - given):
        session.execute(f"GRANT {grant.right} ON {grant.target} TO {role}")
    for grant in sorted(given - wanted):
        session.execute(f"REVOKE {grant.right} ON {grant.target} FROM {role}")
    return len(wanted ^ given)
