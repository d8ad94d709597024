"""Superset over the real Thrift Server: every chart has data, and each role its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from fraudwatch.reporting.dashboards import DASHBOARDS
from fraudwatch.reporting.data_sets import DATA_SETS
from fraudwatch.reporting.roles import Role
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e import seeded_marts
from tests.e2e.superset_client import SupersetClient
from tests.e2e.superset_stack import serving, start

pytestmark = [pytest.mark.engines, pytest.mark.batch, pytest.mark.timeout(1_800)]
CHARTS = {chart.title: chart for board in DASHBOARDS for chart in board.charts}
# One chart of each role's data sets.
OF_VIEWER = "Countries by known fraud"
OF_ANALYST = "Every country by day"
OF_LEAD = "Analysts by decisions"
PASSWORD = "8d1f-4c2a-77e0-5b9d"
FORBIDDEN = httpx.codes.FORBIDDEN


@pytest.fixture(scope="module")
def served(batch_stack: PrivateStack) -> Iterator[PrivateStack]:
    with serving(batch_stack):
        yield batch_stack


@pytest.fixture(scope="module")
def admin(served: PrivateStack) -> SupersetClient:
    return SupersetClient.of(served, "admin")


@pytest.fixture(scope="module")
def numbers(admin: SupersetClient) -> dict[str, int]:
    return admin.charts()


def test_every_chart_and_dashboard_is_imported(
    admin: SupersetClient, numbers: dict[str, int]
) -> None:
    assert numbers.keys() == CHARTS.keys()
    assert admin.dashboards().keys() == {board.slug for board in DASHBOARDS}
    assert admin.data_sets().keys() == {one.table for one in DATA_SETS}


@pytest.mark.parametrize("title", sorted(CHARTS))
def test_every_chart_has_data(admin: SupersetClient, numbers: dict[str, int], title: str) -> None:
    answer = admin.chart_data(numbers[title])
    assert answer.status_code == httpx.codes.OK, answer.text[:2_000]
    [result] = answer.json()["result"]
    assert result["rowcount"] > 0
    chart = CHARTS[title]
    for metric in chart.metrics:
        assert any(row[metric] is not None for row in result["data"]), metric


@pytest.mark.parametrize(
    ("login", "allowed"),
    [
        (Role.VIEWER, [OF_VIEWER]),
        (Role.ANALYST, [OF_VIEWER, OF_ANALYST]),
        (Role.LEAD, [OF_VIEWER, OF_ANALYST, OF_LEAD]),
    ],
)
def test_a_role_reads_its_charts_and_no_others(
    served: PrivateStack, numbers: dict[str, int], login: Role, allowed: list[str]
) -> None:
    client = SupersetClient.of(served, login)
    found = {
        title: client.chart_data(numbers[title]).is_success
        for title in (OF_VIEWER, OF_ANALYST, OF_LEAD)
    }
    assert [title for title, is_allowed in found.items() if is_allowed] == allowed
    visible = {board.slug for board in DASHBOARDS if board.role in login.reads}
    assert client.dashboards().keys() == visible
    assert client.http.get("/api/v1/sqllab/").status_code == FORBIDDEN


def test_cells_of_few_customers_are_for_analysts_only(
    served: PrivateStack, numbers: dict[str, int]
) -> None:
    viewed = SupersetClient.of(served, Role.VIEWER).chart_data(numbers[OF_VIEWER]).text
    assert '"DE"' in viewed
    assert f'"{seeded_marts.THIN_COUNTRY}"' not in viewed
    detailed = SupersetClient.of(served, Role.ANALYST).chart_data(numbers[OF_ANALYST]).text
    assert f'"{seeded_marts.THIN_COUNTRY}"' in detailed


def test_only_figures_for_viewers_leave_as_a_file(
    served: PrivateStack, numbers: dict[str, int]
) -> None:
    exported = SupersetClient.of(served, Role.VIEWER).chart_data(numbers[OF_VIEWER], "csv")
    assert exported.is_success
    assert "DE" in exported.text
    assert seeded_marts.THIN_COUNTRY not in re.findall(r"\b[A-Z]{2}\b", exported.text)
    for role in (Role.ANALYST, Role.LEAD):
        client = SupersetClient.of(served, role)
        for form in ("csv", "xlsx"):
            refused = client.chart_data(numbers[OF_VIEWER], form)
            assert refused.status_code == FORBIDDEN, (role, form)


@pytest.mark.parametrize(
    ("roles", "sources"),
    [
        (["viewer"], {"shop", "bank"}),
        (["viewer", "source_shop"], {"shop"}),
        (["viewer", "source_bank"], {"bank"}),
        (["viewer", "source_shop", "source_bank"], {"shop", "bank"}),
    ],
)
def test_a_user_of_a_source_reads_rows_of_that_source(
    admin: SupersetClient, roles: list[str], sources: set[str]
) -> None:
    login = "_".join(["user", *roles])
    admin.create_user(login, PASSWORD, roles)
    client = SupersetClient(str(admin.http.base_url), login, PASSWORD)
    for one in DATA_SETS:
        if one.role is Role.VIEWER:
            rows = client.rows(admin.data_sets()[one.table], ["source"], one.metrics[0].name)
            assert {row["source"] for row in rows} == sources, one.table


def test_a_user_of_a_source_reads_no_row_that_is_about_all_of_them(admin: SupersetClient) -> None:
    admin.create_user("bank_lead", PASSWORD, ["lead", "source_bank"])
    client = SupersetClient(str(admin.http.base_url), "bank_lead", PASSWORD)
    for one in DATA_SETS:
        if not one.has_source:
            number = admin.data_sets()[one.table]
            assert client.rows(number, [one.day], one.metrics[0].name) == [], one.table


def test_a_second_setup_changes_no_number(
    served: PrivateStack, admin: SupersetClient, numbers: dict[str, int]
) -> None:
    start(served, "superset_setup")
    assert admin.charts() == numbers


def test_a_page_loads_nothing_from_other_hosts(admin: SupersetClient) -> None:
    answer = admin.http.get("/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("superset_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
