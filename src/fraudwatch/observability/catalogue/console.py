"""Declare the metrics of the console."""

from __future__ import annotations

import math
from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

QUERY_KINDS: Final = (
    "newest", "read_back", "claims", "decisions",
    "verdict_of", "purchase_of", "purchases_of", "purchases_with", "labels_of", "labels_known",
    "refunds_of", "verdicts_of", "waiting", "open_alerts", "open_verdict", "handlings", "reviews",
    "tallies_of_past_days", "tallies_of_today", "labels", "verdicts_of_labels",
    "shadow_comparisons", "shadow_counts", "shadow_examples", "shadow_labels",
    "audited",
)  # fmt: skip
PAGES: Final = (
    "live", "case", "patterns", "rules", "shadow", "model", "operations", "audit", "accounts",
)  # fmt: skip

CONSOLE: Final = Section(
    "Console",
    ("console",),
    "",
    (
        Metric(
            name="fraudwatch_console_page_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time to load a page, to its last element; refreshes of its parts excluded",
            worry_when="p99 is above 2: analysts wait",
            labels=(Label("page", PAGES),),
        ),
        Metric(
            name="fraudwatch_console_query_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of the console's queries to the store, successful or not",
            worry_when="p99 is above 1: the console is slow",
            labels=(Label("kind", QUERY_KINDS),),
        ),
        Metric(
            name="fraudwatch_console_store_unavailable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Queries that the store did not answer",
            worry_when="it grows: Cassandra is down, and analysts work on an old list",
        ),
        Metric(
            name="fraudwatch_console_alerts_shown",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Alerts in the list that was rendered last; NaN before the first",
            worry_when=NEVER_ALONE,
            initial=math.nan,
        ),
        Metric(
            name="fraudwatch_console_sign_ins_refused_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Refused logins",
            worry_when="it is more than an occasional typing error: passwords are being guessed",
            labels=(Label("reason", ("wrong", "too_soon", "no_account")),),
        ),
    ),
)
