"""Bursts, lines, figures and filters, by literals."""

from __future__ import annotations

from fraudwatch.application.console.alerts import Alert
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk
from fraudwatch.samples import a_token
from streamlit_app.live.figures import figures_of, trend_of
from streamlit_app.live.filters import Filters, Options, options_of
from streamlit_app.live.groups import grouped, single
from streamlit_app.live.lines import line_of
from streamlit_app.live.status import Status
from streamlit_app.live.window import Arrival
from tests.unit.streamlit_app.live_world import NOON_MS, an_alert

FAR, NEW, DEAR = Reason("far", 60, "Far."), Reason("new", 5, "New."), Reason("dear", 70, "Dear")


def ages_in(groups: list[list[Alert]]) -> list[list[int]]:
    return [[(NOON_MS - alert.decided_at_ms) // 1_000 for alert in one] for one in groups]


def test_a_burst_goes_on_until_its_customer_is_quiet_for_ten_minutes() -> None:
    ages = (0, 600, 1_200, 1_801)
    alerts = [an_alert(age, "a") for age in ages]
    found = [list(group.alerts) for group in grouped(alerts)]
    assert ages_in(found) == [[0, 600, 1_200], [1_801]]


def test_alerts_of_others_do_not_split_a_burst() -> None:
    alerts = [an_alert(1, "b"), an_alert(2, "a"), an_alert(3, "c"), an_alert(4, "a")]
    found = grouped(alerts)
    assert [group.newest.merchant_id for group in found] == ["b", "a", "c"]
    assert [len(group.alerts) for group in found] == [1, 2, 1]
    assert grouped([]) == []
    assert [len(group.alerts) for group in single(alerts)] == [1, 1, 1, 1]


def test_a_bursts_line_sums_up_its_alerts() -> None:
    token = a_token("a")
    alerts = [
        an_alert(4.9, "a", risk=Risk.MEDIUM, reasons=(NEW,), amount_eur_cents=100, score=0.3),
        an_alert(60, "b", risk=Risk.CRITICAL, reasons=(FAR, NEW), amount_eur_cents=31_000),
        an_alert(90, "b", risk=Risk.HIGH, reasons=(DEAR,), amount_eur_cents=140, score=0.9),
    ]
    together = [replaced(alert, token) for alert in alerts]
    [group] = grouped(together)
    line = line_of(group, NOON_MS, Status(), "anna")
    assert line.risk == "◆ Critical"
    assert line.amount == "3 alerts, 312.40 EUR"
    assert line.reason == "Dear. +2 more"
    assert line.reasons == "Dear. Far. New."
    assert line.age_seconds == 4
    assert line.decided_at == "12:29:55"
    assert line.merchant == "2 merchants"
    assert line.country == "DE"
    assert line.score == 0.9


def replaced(alert: Alert, token: str) -> Alert:
    from dataclasses import replace

    return replace(alert, customer_token=token)


def test_a_line_of_one_alert_describes_it() -> None:
    alert = an_alert(0, "merchant-7", outcome=Outcome.DECLINE, card_last4=None, score=0.93)
    [group] = single([alert])
    line = line_of(group, NOON_MS - 2_000, Status(), "anna")
    # A clock behind the judge's makes nothing younger than nothing.
    assert line.age_seconds == 0
    assert (line.risk, line.amount) == ("▲ High", "1,234.50 GBP")
    assert (line.outcome, line.customer, line.card) == ("Declined", "mmmmmmmm", "—")
    assert (line.channel, line.payment) == ("Card present", "Paid")
    assert (line.status, line.score) == ("Open", 0.93)
    assert line.transaction == "shop:merchant-7"


def test_a_trend_counts_whole_minutes_oldest_first() -> None:
    # NOON is a whole minute: the alert of this very instant is in the minute that has begun.
    alerts = [an_alert(age, "a") for age in (0, 1, 60, 61, 62, 1_800, 1_801)]
    trend = trend_of(alerts, NOON_MS + 30_000)
    assert len(trend) == 30
    assert (trend[-1], trend[-2], trend[0]) == (2, 2, 1)
    assert sum(trend) == 5
    assert trend_of(alerts, NOON_MS + 59_999) == trend


def test_figures_mark_counts_that_the_window_does_not_cover() -> None:
    alerts = [an_alert(age, "a") for age in (0, 60, 61, 3_600)]
    known = figures_of(alerts, NOON_MS, NOON_MS - 3_600_000)
    assert (known.last_minute, known.last_hour) == ("2", "4")
    cut = figures_of(alerts, NOON_MS, NOON_MS - 100_000)
    assert (cut.last_minute, cut.last_hour) == ("2", "4+")


def latency(*arrivals: tuple[float, int]) -> str:
    came = [Arrival(NOON_MS - int(ago * 1_000), took_ms) for ago, took_ms in arrivals]
    return figures_of([], NOON_MS, 0, came).latency


def test_latency_is_the_median_of_what_came_in_the_last_five_minutes() -> None:
    assert latency((2, 100), (290, 300), (301, 960_000)) == "200 ms"


def test_latency_is_that_of_the_last_that_came_where_none_is_of_the_last_five_minutes() -> None:
    assert latency((301, 250), (400, 900)) == "250 ms"
    assert latency() == "none yet"


def test_options_are_what_some_alert_has() -> None:
    alerts = [an_alert(1, "b", merchant_country=None), an_alert(2, "a", reasons=(FAR, NEW))]
    assert options_of(alerts) == Options(
        rules=("far", "high_amount", "new"), countries=("DE", "—"), merchants=("a", "b")
    )
    assert options_of([]) == Options()


def test_all_filters_must_agree() -> None:
    alerts = [
        an_alert(1, "a", risk=Risk.CRITICAL),
        an_alert(2, "a", risk=Risk.MEDIUM),
        an_alert(3, "b", risk=Risk.CRITICAL),
    ]
    filters = Filters(risks=frozenset({Risk.CRITICAL}), merchants=frozenset({"a"}))
    assert filters.chosen(alerts, NOON_MS, Status(), "anna") == [alerts[0]]
