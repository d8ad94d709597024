"""Declare the metrics of the REST API."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

ENDPOINTS: Final = (
    "show_verdict", "list_alerts", "search_alerts", "show_alert", "report_label",
)  # fmt: skip
ANSWERS: Final = ("2xx", "4xx", "5xx")
ENGINES: Final = ("store", "broker", "tokens")

REST_API: Final = Section(
    "REST API",
    ("rest_api",),
    "",
    (
        Metric(
            name="fraudwatch_rest_api_request_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time of requests, by endpoint and class of status; the stream excluded",
            worry_when="p99 of 2xx is above 0.05, or 5xx increases",
            labels=(Label("endpoint", ENDPOINTS), Label("answer", ANSWERS)),
        ),
        Metric(
            name="fraudwatch_rest_api_unavailable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests answered 503, by what did not answer; tokens: ingest",
            worry_when="it increases: that engine is down or overloaded",
            labels=(Label("engine", ENGINES),),
        ),
        Metric(
            name="fraudwatch_rest_api_streams",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Open streams of live alerts",
            worry_when="it nears 100, the most that are accepted",
        ),
        Metric(
            name="fraudwatch_rest_api_streamed_alerts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Alerts sent to streams, each once a stream",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_rest_api_cut_streams_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Streams cut because their client did not keep up",
            worry_when="it keeps increasing: a client is too slow for the alerts",
        ),
    ),
)
