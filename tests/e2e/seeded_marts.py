"""Marts of made-up figures of two shops, written by SQL: enough for every chart to have data."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from fraudwatch.adapters.lake.hive_sql import SqlSession
from fraudwatch.lake import DATABASE

FIRST: Final = date(2026, 9, 28)  # a Monday
DAYS: Final = 56
SOURCES: Final = {"shop": 1.0, "bank": 0.4}
COUNTRIES: Final = {"DE": 0.5, "FR": 0.2, "NL": 0.15, "US": 0.1, "PL": 0.04, "MT": 0.002}
CATEGORIES: Final = {"electronics": 0.3, "fashion": 0.3, "groceries": 0.25, "games": 0.15}
MERCHANTS: Final = {f"merchant-{n:02}": 1 / (n + 2) / 3 for n in range(12)}
RULES: Final = {"card_testing": 0.02, "high_amount": 0.03, "impossible_travel": 0.006}
BANDS: Final = {0.0: 0.9, 0.001: 0.06, 0.01: 0.02, 0.05: 0.012, 0.3: 0.005, 0.6: 0.003}
THIN_COUNTRY: Final = "MT"
_PURCHASES_A_DAY: Final = 900
_KNOWN_UNTIL: Final = "TIMESTAMP'2026-11-25 03:00:00'"
_ROWS_A_STATEMENT: Final = 2_000

Row = Mapping[str, object]


def write(session: SqlSession) -> None:
    """Fill every mart that a chart reads."""
    chance = random.Random(7)
    _insert(session, "out_fraud_by_day", _fraud(chance, {None: 1.0}, ""))
    _insert(session, "out_fraud_by_country", _fraud(chance, COUNTRIES, "merchant_country"))
    _insert(session, "out_fraud_by_category", _fraud(chance, CATEGORIES, "category"))
    _insert(session, "out_fraud_by_merchant", _fraud(chance, MERCHANTS, "merchant_id"))
    _insert(session, "out_fraud_by_hour", _fraud(chance, _hours(), "hour_of_day"))
    _insert(session, "out_rule_performance", _rules(chance))
    _insert(session, "out_money", _money(chance))
    _insert(session, "out_calibration", _calibration(chance))
    _insert(session, "out_pipeline_health", _pipeline(chance))
    _insert(session, "out_analyst_workload", _workload(chance))
    _insert(session, "core_drift", _drift(chance))


def _insert(session: SqlSession, table: str, rows: Iterator[Row]) -> None:
    listed = list(rows)
    for start in range(0, len(listed), _ROWS_A_STATEMENT):
        part = listed[start : start + _ROWS_A_STATEMENT]
        values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in part)
        columns = ", ".join(part[0])
        session.run(f"INSERT INTO {DATABASE}.{table} ({columns}) VALUES {values}")  # noqa: S608  our own rows


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, date):
        return f"DATE'{value}'"
    if isinstance(value, str) and not value.startswith("TIMESTAMP"):
        return f"'{value}'"
    return str(value)


def _days() -> Iterator[date]:
    return (FIRST + timedelta(days=number) for number in range(DAYS))


def _hours() -> dict[object, float]:
    return {hour: (1 + hour % 12) / 150 for hour in range(24)}


def _cells(keys: Sequence[object]) -> Iterator[tuple[date, str, float, object]]:
    for day in _days():
        for source, size in SOURCES.items():
            for key in keys:
                yield day, source, size, key


def _customers(purchases: int) -> Row:
    return {
        "customers": max(1, purchases * 7 // 10) if purchases else 0,
        "customers_of_week": max(1, purchases * 3),
        "labels_known_until": _KNOWN_UNTIL,
    }


def _fraud(
    chance: random.Random, shares: Mapping[object, float] | Mapping[str, float], key: str
) -> Iterator[Row]:
    for day, source, size, name in _cells(list(shares)):
        share = dict(shares)[name] * size * chance.uniform(0.8, 1.2)  # type: ignore[index]
        purchases = max(1, round(_PURCHASES_A_DAY * share))
        alerts = round(purchases * chance.uniform(0.02, 0.05))
        fraud = round(purchases * chance.uniform(0.005, 0.015))
        caught = round(fraud * 0.8)
        decided = alerts // 2
        yield {
            "event_on": day, "source": source, **({key: name} if key else {}),
            "purchases": purchases, "amount_eur_cents": purchases * 6_400, "judged": purchases,
            "alerts": alerts, "reviewed": alerts * 6 // 10, "challenged": alerts // 10,
            "declined": alerts - alerts * 6 // 10 - alerts // 10,
            "known_fraud": fraud, "known_genuine": decided // 2,
            "known_fraud_eur_cents": fraud * 21_000, "alerts_known_fraud": caught,
            "alerts_decided": decided, "alerts_decided_fraud": decided // 2,
            **_customers(purchases),
        }  # fmt: skip


def _rules(chance: random.Random) -> Iterator[Row]:
    for day, source, size, rule in _cells(list(RULES)):
        hits = round(_PURCHASES_A_DAY * size * RULES[str(rule)] * chance.uniform(0.7, 1.3))
        yield {
            "event_on": day, "source": source, "rule": rule, "hits": hits,
            "hits_known_fraud": hits // 4, "hits_known_genuine": hits // 5,
            "hits_decided": hits // 2, "hits_decided_fraud": hits // 4, "points": hits * 40,
            "sole_hit_alerts": hits // 3, **_customers(hits),
        }  # fmt: skip


def _money(chance: random.Random) -> Iterator[Row]:
    for day, source, size, _ in _cells([None]):
        fraud = round(190_000 * size * chance.uniform(0.6, 1.4))
        yield {
            "event_on": day, "source": source, "judged_eur_cents": round(5_700_000 * size),
            "blocked_eur_cents": fraud, "saved_eur_cents": fraud * 5 // 10,
            "saved_unconfirmed_eur_cents": fraud * 3 // 10,
            "wrongly_blocked_eur_cents": fraud // 10, "reviewed_fraud_eur_cents": fraud * 2 // 10,
            "challenged_fraud_eur_cents": fraud // 20, "missed_eur_cents": fraud * 15 // 100,
            "labelled": 12, **_customers(round(_PURCHASES_A_DAY * size)),
        }  # fmt: skip


def _calibration(chance: random.Random) -> Iterator[Row]:
    for day, source, size, band in _cells(list(BANDS)):
        scored = round(_PURCHASES_A_DAY * size * BANDS[float(str(band))])
        expected = scored * (float(str(band)) * 1.4 + 0.0003)
        yield {
            "event_on": day, "source": source, "calibration": "4f1c9a02b7de",
            "probability_from": band, "scored": scored, "expected_fraud": round(expected, 4),
            "known_fraud": round(expected * chance.uniform(0.7, 1.2)), "known_genuine": 0,
            **_customers(scored),
        }  # fmt: skip


def _pipeline(chance: random.Random) -> Iterator[Row]:
    for day in _days():
        purchases = round(1_260 * chance.uniform(0.8, 1.2))
        yield {
            "event_on": day, "transactions_from_log": purchases, "transactions_from_extract": 3,
            "verdicts": purchases - 1, "missing_verdicts": 1, "purchases_rejected": 2,
            "rejected_by_code": '{"too_long":2}', "jobs_done": '{"build_reports":1,"refine_day":1}',
            "minutes_behind": round(chance.uniform(1, 9), 2), "labels_known_until": _KNOWN_UNTIL,
        }  # fmt: skip


def _workload(chance: random.Random) -> Iterator[Row]:
    for day in _days():
        for analyst in ("ann", "ben"):
            decisions = chance.randint(8, 30)
            yield {
                "known_on": day, "analyst": analyst, "decisions": decisions,
                "fraud": decisions // 2, "genuine": decisions // 3,
                "unsure": decisions - decisions // 2 - decisions // 3,
                "median_minutes_to_decision": round(chance.uniform(10, 60), 1),
                "labels_known_until": _KNOWN_UNTIL,
            }  # fmt: skip


def _drift(chance: random.Random) -> Iterator[Row]:
    for day in _days():
        for what, name in (
            ("score", "xgboost"),
            ("feature", "spend_1d"),
            ("precision", "precision"),
        ):
            yield {
                "event_on": day, "what": what, "name": name,
                "value": round(chance.uniform(0.01, 0.3), 4),
                "reference_value": 0.5 if what == "precision" else None, "rows": 1_260,
                "reference_rows": 35_000, "judgement": "quiet",
            }  # fmt: skip
