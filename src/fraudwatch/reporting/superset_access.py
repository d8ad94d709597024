"""Create Superset's database, roles, logins and row-level security; needs its application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from flask_migrate import upgrade
from pydantic import SecretStr
from superset import appbuilder, db, security_manager
from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable

from fraudwatch.reporting.data_sets import DATA_SETS
from fraudwatch.reporting.roles import LOGINS, Role, source_role
from fraudwatch.reporting.settings import SupersetSetupSettings

ADMIN: Final = "admin"
_ADMIN_ROLE: Final = "Admin"
# Conditions of one group are joined by OR: a user of two sources reads both.
_SOURCE_GROUP: Final = "source"


def migrate() -> None:
    """Bring the metadata database and Superset's own permissions to this version."""
    upgrade()
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    db.session.commit()


def make_logins(settings: SupersetSetupSettings) -> None:
    """Create the administrator and a login of each role, or set their passwords."""
    _login(ADMIN, settings.admin_password, security_manager.find_role(_ADMIN_ROLE))
    passwords = {
        Role.VIEWER: settings.viewer_password,
        Role.ANALYST: settings.analyst_password,
        Role.LEAD: settings.lead_password,
    }
    for login in LOGINS:
        role = security_manager.add_role(login.role)
        role.permissions = [_permission(name, view) for name, view in sorted(login.permissions)]
        _login(login.role, passwords[login.role], role)
    db.session.commit()


def grant_data_sets() -> None:
    """Set what each role may do: its permissions and its data sets, and nothing else."""
    for login in LOGINS:
        role = security_manager.find_role(login.role)
        readable = [one.uuid for one in DATA_SETS if one.role in login.role.reads]
        role.permissions = [
            *(_permission(name, view) for name, view in sorted(login.permissions)),
            *(_permission("datasource_access", table.perm) for table in _tables(readable)),
        ]
    db.session.commit()


def restrict_sources(sources: Sequence[str]) -> None:
    """Create a role for each source, whose users read rows of this source only.

    A data set without a source is about all of them, so that these users read none of its rows.
    """
    with_source = _tables(one.uuid for one in DATA_SETS if one.has_source)
    without = _tables(one.uuid for one in DATA_SETS if not one.has_source)
    roles = [security_manager.add_role(source_role(source)) for source in sources]
    for source, role in zip(sources, roles, strict=True):
        _filter(f"source {source}", f"source = '{source}'", with_source, [role])
    if roles:
        _filter("no source", "1 = 0", without, roles)
    db.session.commit()


def _login(name: str, password: SecretStr, role: Any) -> None:
    """Create a login, or set its password; roles that it was given besides are kept."""
    user = security_manager.find_user(username=name)
    if user is None:
        address = f"{name}@fraudwatch.test"
        user = security_manager.add_user(
            name, name, "fraudwatch", address, role, password.get_secret_value()
        )
    elif role not in user.roles:
        user.roles = [*user.roles, role]
    security_manager.reset_password(user.id, password.get_secret_value())


def _permission(name: str, view: str) -> Any:
    return security_manager.add_permission_view_menu(name, view)


def _tables(uuids: Iterable[UUID]) -> list[Any]:
    found = db.session.query(SqlaTable).filter(SqlaTable.uuid.in_(list(uuids)))
    return list(found.order_by(SqlaTable.id))


def _filter(name: str, clause: str, tables: list[Any], roles: list[Any]) -> None:
    found = db.session.query(RowLevelSecurityFilter).filter_by(name=name).one_or_none()
    one = found or RowLevelSecurityFilter(name=name)
    one.filter_type, one.group_key, one.clause = "Regular", _SOURCE_GROUP, clause
    one.tables, one.roles = tables, roles
    db.session.add(one)
