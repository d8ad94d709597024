"""Sums, rates and changes of the patterns page, on cases small enough to count by hand."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from fraudwatch.domain.evaluation.labelled_alerts import LabelledAlertCounts, RuleLabelCounts
from fraudwatch.domain.tally import Dimension, Tally
from streamlit_app.patterns.charts import bars, heat, world
from streamlit_app.patterns.figures import figures
from streamlit_app.patterns.label_rows import label_rows
from streamlit_app.patterns.labels import ByDay, LabelSummary, label_figures, sentence
from streamlit_app.patterns.period import Period, parse_length
from streamlit_app.patterns.rates import HitRate, change_of_count, change_of_ratio, percent
from streamlit_app.patterns.rules import rule_rows, rule_table
from streamlit_app.patterns.rules_panel import rule_bars
from streamlit_app.patterns.tally_sums import (
    PurchaseCounts,
    TallySums,
    by_weekday_and_hour,
    comparable,
    merged,
    sum_tallies,
    total,
)
from streamlit_app.patterns.trend_charts import alert_trend, value_caught_trend
from streamlit_app.patterns.view import (
    ENOUGH,
    TOO_FEW_TEXT,
    WEEKDAYS,
    group_rows,
    heat_rows,
    not_drawn,
    table,
    trend_rows,
    weekdays_of,
)

NOW = datetime(2026, 11, 21, 14, 20, tzinfo=UTC)  # a Saturday
TODAY = Period(1, NOW)


def tally(day: str, dimension: Dimension, value: str, purchases: int, alerts: int) -> Tally:
    return Tally(
        day=day, dimension=dimension, value=value, purchases=purchases, medium=alerts, declined=0
    )


def hours(day: str, first: int, end: int, purchases: int, alerts: int) -> list[Tally]:
    each = [tally(day, Dimension.HOUR, f"{h:02d}", purchases, alerts) for h in range(first, end)]
    count = end - first
    return [*each, tally(day, Dimension.ALL, "", count * purchases, count * alerts)]


def test_a_period_ends_today_and_touches_the_one_before() -> None:
    week = Period(7, NOW)
    assert (week.current[0], week.current[-1]) == (date(2026, 11, 15), date(2026, 11, 21))
    assert (week.before[0], week.before[-1]) == (date(2026, 11, 8), date(2026, 11, 14))
    assert week.starts_at == datetime(2026, 11, 15, tzinfo=UTC)
    assert week.before_ends_at == datetime(2026, 11, 14, 14, 20, tzinfo=UTC)


@pytest.mark.parametrize(("text", "days"), [("30", 30), ("1", 1), ("9", 7), ("x", 7), (None, 7)])
def test_the_address_accepts_known_lengths_only(text: str | None, days: int) -> None:
    assert parse_length(text) == days


def test_the_wilson_interval_matches_published_values() -> None:
    low, high = HitRate(1, 10).interval  # Newcombe (1998), method 3
    assert (round(low, 4), round(high, 4)) == (0.0179, 0.4042)
    assert HitRate(0, 10).interval[0] == 0.0
    assert HitRate(10, 10).interval[1] == pytest.approx(1.0)
    assert all(math.isnan(end) for end in HitRate(0, 0).interval)


def test_a_rate_of_nothing_is_unknown_and_never_zero() -> None:
    assert math.isnan(HitRate(0, 0).ratio)
    assert percent(math.nan) == "—"
    assert percent(0.0) == "0.00 %"
    assert percent(0.314) == "31.4 %"


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [(112, 100, "up 12.0 %"), (95, 100, "down 5.0 %"), (5, 5, "unchanged"), (3, 0, "up from 0")],
)
def test_a_count_changes_in_percent(now: int, before: int, words: str) -> None:
    assert change_of_count(now, before, is_before_known=True).words == words


def test_without_data_before_there_is_no_change() -> None:
    assert change_of_count(9, 0, is_before_known=False).words == "no data before"
    assert change_of_count(9, 0, is_before_known=False).arrow == "off"
    assert change_of_ratio(0.1, math.nan).words == "no data before"


def test_a_share_changes_in_points() -> None:
    assert change_of_ratio(0.035, 0.03).words == "up 0.50 points"
    assert change_of_ratio(0.02, 0.03).arrow == "down"
    assert change_of_ratio(0.03, 0.03).words == "unchanged"
    assert change_of_ratio(math.nan, 0.03).words == "was 3.00 %"


def test_tallies_are_summed_over_days_and_parts() -> None:
    one = sum_tallies(
        [
            tally("2026-11-20", Dimension.COUNTRY, "DE", 10, 1),
            tally("2026-11-20", Dimension.COUNTRY, "DE", 5, 1),
        ]
    )
    both = merged(one, sum_tallies([tally("2026-11-21", Dimension.COUNTRY, "DE", 7, 0)]))
    assert both.group(Dimension.COUNTRY) == {"DE": PurchaseCounts(22, 2)}
    assert one.group(Dimension.COUNTRY) == {"DE": PurchaseCounts(15, 2)}
    assert both.group(Dimension.RULE) == {}
    assert total([]) == PurchaseCounts()


def test_today_is_compared_with_yesterday_up_to_the_same_full_hour() -> None:
    current = sum_tallies(hours("2026-11-21", 0, 15, purchases=10, alerts=1))
    before = sum_tallies(hours("2026-11-20", 0, 24, purchases=10, alerts=1))
    shown = {figure.label: figure for figure in figures(current, before, TODAY)}
    assert shown["Purchases"].value == "150"
    assert shown["Purchases"].change.words == "unchanged"
    assert shown["Alert rate"].value == "10.0 %"
    assert shown["Alert rate"].change.words == "unchanged"
    assert "15 of 150" in shown["Alert rate"].meaning


def test_figures_without_a_previous_period_are_marked() -> None:
    current = sum_tallies(hours("2026-11-21", 0, 15, purchases=10, alerts=1))
    assert {figure.change.words for figure in figures(current, TallySums(), TODAY)} == {
        "no data before"
    }


def test_right_after_midnight_there_is_nothing_to_compare_yet() -> None:
    early = Period(1, NOW.replace(hour=0))
    current = sum_tallies(hours("2026-11-21", 0, 1, purchases=10, alerts=1))
    before = sum_tallies(hours("2026-11-20", 0, 24, purchases=10, alerts=1))
    assert {figure.change.words for figure in figures(current, before, early)} == {
        "no full hour yet"
    }


def test_small_groups_come_last_and_are_marked() -> None:
    rows = group_rows(
        {
            "few": PurchaseCounts(2, 2),
            "calm": PurchaseCounts(100, 1),
            "risky": PurchaseCounts(100, 9),
            "": PurchaseCounts(40, 2),
        },
        {"risky": PurchaseCounts(50, 2)},
    )
    assert list(rows["name"]) == ["risky", "unknown", "calm", "few"]
    assert list(rows["state"]) == [ENOUGH, ENOUGH, ENOUGH, TOO_FEW_TEXT]
    assert rows["change"][0] == "up 5.00 points"
    assert rows["change"][3] == "no purchases before"
    assert set(group_rows({"a": PurchaseCounts(100, 9)}, {})["change"]) == {"no data before"}
    assert rows["counts"][0] == "9 of 100"
    assert list(group_rows({"few": PurchaseCounts(2, 2)}, {}, min_purchases=10)["name"]) == []


def test_weekdays_come_from_the_tallys_day() -> None:
    sums = sum_tallies(
        [
            *hours("2026-11-21", 3, 4, 10, 1),
            *hours("2026-11-14", 3, 4, 20, 2),
            *hours("2026-11-15", 3, 4, 5, 0),
        ]
    )
    assert by_weekday_and_hour(sums) == {
        (5, 3): PurchaseCounts(30, 3),
        (6, 3): PurchaseCounts(5, 0),
    }


def test_every_hour_has_a_cell_and_those_without_purchases_are_too_few() -> None:
    rows = heat_rows(sum_tallies(hours("2026-11-21", 3, 4, 40, 1)), weekdays_of(TODAY))
    assert (len(rows), set(rows["weekday"])) == (24, {"Sat"})
    assert list(rows[rows["state"] == ENOUGH]["hour"]) == ["03"]
    assert rows["rate_words"][0] == "—"
    assert weekdays_of(Period(7, NOW)) == WEEKDAYS
    drawn = heat(rows, ("Sat",)).to_json()
    assert TOO_FEW_TEXT in drawn
    assert '"fill"' in drawn


def test_only_a_period_with_tallies_on_every_day_is_compared() -> None:
    days = Period(7, NOW).before
    whole = sum_tallies(tally(day.isoformat(), Dimension.ALL, "", 1, 0) for day in days)
    assert comparable(whole, days) is whole
    part = sum_tallies(tally(day.isoformat(), Dimension.ALL, "", 1, 0) for day in days[1:])
    assert comparable(part, days) == TallySums()


def test_rules_are_ranked_by_how_often_they_hit() -> None:
    def counted(purchases: int, **hits: int) -> TallySums:
        rules = [tally("2026-11-21", Dimension.RULE, name, n, n) for name, n in hits.items()]
        return sum_tallies([tally("2026-11-21", Dimension.ALL, "", purchases, 0), *rules])

    now, then = counted(2_000, far=3, dear=8), counted(1_000, dear=2)
    rows = rule_rows(now, then, {"dear": RuleLabelCounts(frauds=3, labelled=4)})
    assert list(rows["name"]) == ["dear", "far"]
    assert list(rows["counts"]) == ["8 (4.00 per 1,000)", "3 (1.50 per 1,000)"]
    assert list(rows["per_thousand_before"]) == ["2.00", "0.00"]
    assert list(rows["fraud_words"]) == ["75.0 % (3 of 4)", "no labels"]
    assert math.isnan(rows["fraud_percent"][1])
    assert set(rule_rows(now, TallySums(), {})["per_thousand_before"]) == {"no data before"}
    assert list(rule_table(rows).columns)[:3] == ["Rule", "Purchases hit", "Per 1,000 purchases"]
    assert '"fraud_words"' in rule_bars(rows).to_json()


def test_the_declined_amount_is_in_euros() -> None:
    day = replace(tally("2026-11-21", Dimension.ALL, "", 9, 3), declined_amount_eur_cents=123_400)
    shown = {
        figure.label: figure.value for figure in figures(sum_tallies([day]), TallySums(), TODAY)
    }
    assert shown["Declined, EUR"] == "1,234"


def test_a_line_of_nothing_is_not_drawn() -> None:
    sums = sum_tallies(hours("2026-11-21", 0, 2, 40, 1))
    series = (TODAY.words, TODAY.before_words)
    drawn = alert_trend(trend_rows(sums, TallySums(), TODAY), series, at="Hour").to_dict()
    assert len(drawn["layer"]) == 1
    assert TODAY.before_words not in str(drawn["layer"])
    both = alert_trend(trend_rows(sums, sums, TODAY), series, at="Hour").to_dict()
    assert len(both["layer"]) == 2


def test_the_trend_puts_the_period_before_in_the_place_of_its_days() -> None:
    week = Period(7, NOW)
    current = sum_tallies(hours("2026-11-21", 0, 1, 10, 1))
    before = sum_tallies(hours("2026-11-14", 0, 1, 10, 2))
    rows = trend_rows(current, before, week)
    assert list(rows["at"]) == ["2026-11-21", "2026-11-21"]
    assert list(rows["name"]) == ["2026-11-21", "2026-11-14"]
    assert list(trend_rows(current, TallySums(), TODAY)["at"]) == ["00"]


CHARGED = LabelledAlertCounts(
    caught=690, missed=10, caught_eur_cents=900_00, missed_eur_cents=100_00
)
DECIDED = LabelledAlertCounts(caught=69, missed=1, false_positives=31)
KNOWN = LabelSummary(
    all=ByDay({"2026-11-20": CHARGED}),
    decided=ByDay({"2026-11-20": DECIDED}),
    rules={},
    labels_known=6_000,
    labels_read=5_000,
)
NOTHING_KNOWN = LabelSummary(ByDay(), ByDay(), {}, 0, 0)


def test_label_figures_state_their_counts_and_the_cut() -> None:
    texts = sentence(KNOWN)
    assert "By all labels, 690 of 700 known frauds were alerts, worth 900 of 1,000 EUR." in texts
    assert "Of 100 alerts decided by analysts, 31.0 % were genuine" in texts
    assert "Only the newest 5,000 of 6,000 labels were read." in texts
    value, wrong = label_figures(KNOWN, Period(7, NOW), is_before_known=False)
    assert (value.value, value.change.words) == ("900", "no data before")
    assert (wrong.value, wrong.change.words) == ("31.0 %", "no data before")


def test_labels_of_both_periods_are_compared_if_the_one_before_was_counted() -> None:
    day = "2026-11-13"
    known = replace(
        KNOWN,
        all=ByDay(KNOWN.all.current, {day: replace(CHARGED, caught_eur_cents=450_00)}),
        decided=ByDay(
            KNOWN.decided.current, {day: LabelledAlertCounts(caught=70, false_positives=30)}
        ),
    )
    week = Period(7, NOW)
    texts = [figure.change.words for figure in label_figures(known, week, is_before_known=True)]
    assert texts == ["up 100.0 %", "up 1.00 points"]
    texts = [figure.change.words for figure in label_figures(KNOWN, week, is_before_known=True)]
    assert texts == ["no labels before", "no decisions before"]
    texts = [figure.change.words for figure in label_figures(known, week, is_before_known=False)]
    assert texts == ["no data before", "no data before"]
    assert len(label_rows(known, week, is_before_known=True)) == 2
    assert len(label_rows(known, week, is_before_known=False)) == 1


def test_without_labels_nothing_is_zero() -> None:
    shown = label_figures(NOTHING_KNOWN, TODAY, is_before_known=True)
    assert [(figure.value, figure.change.words) for figure in shown] == [
        ("—", "no labels yet"),
        ("—", "no decisions yet"),
    ]
    assert sentence(NOTHING_KNOWN) == ("No labels yet on purchases of these days.")


def test_a_day_without_known_fraud_has_no_value_caught() -> None:
    day = ByDay({"2026-11-21": LabelledAlertCounts(false_positives=3)})
    rows = label_rows(LabelSummary(day, day, {}, 3, 3), TODAY, is_before_known=False)
    assert list(rows["false_positive_ratio"]) == [1.0]
    assert rows["caught_eur"].isna().all()
    assert list(rows["caught_words"]) == ["—"]


def test_a_day_that_no_analyst_decided_has_no_false_positives() -> None:
    known = replace(KNOWN, decided=ByDay())
    rows = label_rows(known, Period(7, NOW), is_before_known=False)
    assert rows["false_positive_ratio"].isna().all()
    assert list(rows["decided"]) == ["none decided"]
    assert "chargebacks alone cannot show false positives" in sentence(known)


def test_the_map_has_three_kinds_of_countries_and_names_what_it_cannot_draw() -> None:
    features = [
        {"type": "Feature", "properties": {"iso_alpha2": code, "name": code}, "geometry": None}
        for code in ("DE", "MT", "FR")
    ]
    rows = group_rows(
        {"DE": PurchaseCounts(100, 9), "MT": PurchaseCounts(3, 1), "SG": PurchaseCounts(50, 1)}, {}
    )
    drawn = world(features, rows)
    silent, few, sure = (drawn["datasets"][layer["data"]["name"]] for layer in drawn["layer"])
    assert [page["properties"]["name"] for page in silent] == ["FR"]
    assert [page["counts"] for page in few] == ["1 of 3"]
    assert [page["rate"] for page in sure] == [0.09]
    assert not_drawn(rows["value"], ["DE", "MT", "FR"]) == ["SG"]


def test_every_rate_is_drawn_with_its_counts() -> None:
    rows = group_rows({"a": PurchaseCounts(100, 9)}, {})
    sums = sum_tallies(hours("2026-11-21", 0, 2, 40, 1))
    series = (TODAY.words, TODAY.before_words)
    drawn = [
        bars(rows),
        heat(heat_rows(sums), WEEKDAYS),
        alert_trend(trend_rows(sums, TallySums(), TODAY), series, at="Hour"),
    ]
    for chart in drawn:
        assert '"counts"' in chart.to_json()
    week = Period(7, NOW)
    known = label_rows(KNOWN, week, is_before_known=False)
    drawn_labels = value_caught_trend(known, (week.words, week.before_words))
    assert '"decided"' in drawn_labels.to_json()


def test_tables_have_titles_and_percentages() -> None:
    shown = table(group_rows({"a": PurchaseCounts(100, 9)}, {}), first="Merchant")
    assert shown.iloc[0].to_dict() == {
        "Merchant": "a",
        "Alert rate": pytest.approx(9.0),
        "95 % interval": "4.81 % to 16.2 %",
        "Alerts": 9,
        "Purchases": 100,
        "Change": "no data before",
        "Enough data?": ENOUGH,
    }


def test_sixty_days_of_a_big_shop_are_summed_in_time() -> None:
    days = [(NOW.date() - timedelta(days=back)).isoformat() for back in range(60)]
    tallies = [
        tally(day, Dimension.MERCHANT, f"merchant-{i}", 40, 1) for day in days for i in range(2_476)
    ]
    for day in days:
        tallies += hours(day, 0, 24, 4_000, 100)
    began = time.process_time()
    half = len(tallies) // 2
    current, before = sum_tallies(tallies[:half]), sum_tallies(tallies[half:])
    group_rows(current.group(Dimension.MERCHANT), before.group(Dimension.MERCHANT))
    took_seconds = time.process_time() - began
    assert took_seconds < 2.0  # of a processor; 0.4 on a slow one
