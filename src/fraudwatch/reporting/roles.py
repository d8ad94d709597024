"""Roles of Superset: permissions of each, and the data sets that it may read.

Superset's own roles are not used: Gamma, the smallest, may export data and edit registrations.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Permission = tuple[str, str]
"""Name of a permission and the view or resource that it is about."""


class Role(StrEnum):
    """A role of this platform; each may read what the one before it may."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    LEAD = "lead"

    @property
    def reads(self) -> frozenset[Role]:
        """The roles whose data sets it may read."""
        roles = list(Role)
        return frozenset(roles[: roles.index(self) + 1])


_LOOK: Final[frozenset[Permission]] = frozenset(
    {
        ("menu_access", "Home"),
        ("menu_access", "Dashboards"),
        ("can_dashboard", "Superset"),
        ("can_dashboard_permalink", "Superset"),
        ("can_explore_json", "Superset"),
        ("can_language_pack", "Superset"),
        ("can_log", "Superset"),
        ("can_slice", "Superset"),
        ("can_get", "Datasource"),
        ("can_get", "MenuApi"),
        ("can_query", "Api"),
        ("can_query_form_data", "Api"),
        ("can_time_range", "Api"),
        ("can_read", "Chart"),
        ("can_read", "CssTemplate"),
        ("can_read", "CurrentUserRestApi"),
        ("can_read", "Dashboard"),
        ("can_read", "DashboardFilterStateRestApi"),
        ("can_write", "DashboardFilterStateRestApi"),
        ("can_read", "DashboardPermalinkRestApi"),
        ("can_write", "DashboardPermalinkRestApi"),
        ("can_read", "Dataset"),
        ("can_read", "SecurityRestApi"),  # the token that each change by the page must carry
        ("can_read", "Theme"),
        ("can_recent_activity", "Log"),
        ("can_view_chart_as_table", "Dashboard"),
    }
)
_EXPLORE: Final[frozenset[Permission]] = frozenset(
    {
        ("menu_access", "Charts"),
        ("menu_access", "Data"),
        ("menu_access", "Datasets"),
        ("can_drill", "Dashboard"),
        ("can_explore", "Superset"),
        ("can_fetch_datasource_metadata", "Superset"),
        ("can_get_drill_info", "Dataset"),
        ("can_read", "Database"),
        ("can_read", "Explore"),
        ("can_read", "ExploreFormDataRestApi"),
        ("can_write", "ExploreFormDataRestApi"),
        ("can_read", "ExplorePermalinkRestApi"),
        ("can_write", "ExplorePermalinkRestApi"),
        ("can_read", "Tag"),
        ("can_share_chart", "Superset"),
        ("can_share_dashboard", "Superset"),
        ("can_view_query", "Dashboard"),
        ("can_write", "Chart"),
        ("can_write", "Dashboard"),
    }
)
# The viewer's data sets have no row of fewer than ten customers, so they alone may leave as a file.
_EXPORT: Final[Permission] = ("can_csv", "Superset")


@dataclass(frozen=True)
class Login:
    """A login that the setup creates, with the permissions of its role."""

    role: Role
    permissions: frozenset[Permission]


LOGINS: Final = (
    Login(Role.VIEWER, _LOOK | {_EXPORT}),
    Login(Role.ANALYST, _LOOK | _EXPLORE),
    Login(Role.LEAD, _LOOK | _EXPLORE),
)


def source_role(source: str) -> str:
    """Return the name of the role that restricts its users to rows of this source."""
    return f"source_{source}"
