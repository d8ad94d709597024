"""Every dashboard of Superset, drawn in a real browser; set FRAUDWATCH_SCREENSHOTS to keep them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fraudwatch.reporting.assets import Dashboard
from fraudwatch.reporting.dashboards import DASHBOARDS
from fraudwatch.reporting.roles import Role
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import TIMEOUT_MS, chromium
from tests.e2e.superset_browser import ReportReader
from tests.e2e.superset_stack import serving

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(1_800)]
VIEWPORT = {"width": 1500, "height": 1250}


@pytest.fixture(scope="module")
def served(batch_stack: PrivateStack) -> Iterator[PrivateStack]:
    with serving(batch_stack):
        yield batch_stack


@pytest.fixture(scope="module")
def lead(served: PrivateStack) -> Iterator[ReportReader]:
    with chromium() as browser:
        page = browser.new_page(viewport=VIEWPORT)
        page.set_default_timeout(TIMEOUT_MS)
        reader = ReportReader(page, served)
        reader.log_in(Role.LEAD)
        yield reader


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.slug)
def test_a_dashboard_is_drawn_and_loads_nothing_from_other_hosts(
    lead: ReportReader, board: Dashboard
) -> None:
    lead.open(board.slug, len(board.charts))
    lead.picture(board.slug)
    assert lead.errors() == []
    assert lead.elsewhere == []
