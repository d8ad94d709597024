"""Declare the metrics of ingest."""

from __future__ import annotations

import math
from typing import Final

from fraudwatch.domain.messages.purchase_cleaning import OPTIONAL_FIELDS, FieldOutcome
from fraudwatch.observability.catalogue.mapped_feeds import MAPPED_FEEDS
from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

REVEAL_OUTCOMES: Final = (
    "shown", "erased", "altered", "refused", "forbidden", "limited", "unlogged",
)  # fmt: skip
NOTICE_OUTCOMES: Final = (
    "mailed", "texted", "erased", "no_address", "altered", "address_refused", "refused", "limited",
    "paused", "unlogged", "unsent", "uncertain",
)  # fmt: skip

QUOTA_READERS: Final = ("feed", "chargebacks", "mapped_feed", "api")
LOOKUP_OUTCOMES: Final = ("found", "missing", "unavailable")

SCREENING_SECONDS: Final = (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.001, 0.01, 0.1)

INGEST: Final = Section(
    "Ingest",
    ("ingest",),
    "",
    (
        Metric(
            name="fraudwatch_ingest_accepted_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases accepted and acknowledged",
            worry_when="it stops increasing while the source is busy",
        ),
        Metric(
            name="fraudwatch_ingest_repeated_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated purchases with a known id",
            worry_when="it grows faster than the accepted ones: the source sends all of it again",
        ),
        Metric(
            name="fraudwatch_ingest_sandbox_accepted_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases of sandbox keys accepted; not among the purchases accepted",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_sandbox_repeated_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated purchases of sandbox keys",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_feed_behind",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Lag of ingest behind the feed, in events",
            worry_when="it grows: ingest cannot follow its source",
        ),
        Metric(
            name="fraudwatch_ingest_labels_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Labels accepted and acknowledged",
            worry_when="it does not increase for days: training has no new labels",
        ),
        Metric(
            name="fraudwatch_ingest_repeated_labels_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated, unchanged labels",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_refunds_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Refunds accepted and acknowledged; not among the purchases accepted",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_repeated_refunds_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated refunds with a known id",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_chargebacks_behind",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Lag of ingest behind the chargebacks, in chargebacks",
            worry_when="it grows: labels come late",
        ),
        Metric(
            name="fraudwatch_ingest_waits_timed_out_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Synchronous calls that timed out",
            worry_when="it grows with the calls: verdicts come later than callers wait",
        ),
        Metric(
            name="fraudwatch_ingest_verdict_lookups_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Stored verdicts looked up for synchronous callers",
            worry_when="unavailable grows: repeated purchases are answered without their verdicts",
            labels=(Label("outcome", LOOKUP_OUTCOMES),),
        ),
        Metric(
            name="fraudwatch_ingest_other_content_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Calls refused because an id was accepted before with other content",
            worry_when="it is more than a few: a source uses its ids twice",
        ),
        Metric(
            name="fraudwatch_ingest_id_filter_ids",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Transaction ids in the filter of accepted ids",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_ingest_id_filter_since_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="Since when accepted ids are in the filter",
            worry_when="it is less than 35 days ago on an older home: raise ID_FILTER_MIB",
            initial=math.nan,
        ),
        Metric(
            name="fraudwatch_ingest_id_filter_complete",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="The filter has every id that was accepted before ingest started",
            worry_when="it stays 0: the detector lags, or Kafka does not answer; repeats may pass",
        ),
        Metric(
            name="fraudwatch_ingest_id_filter_lookups_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts looked up because the filter may have their ids",
            worry_when="missing exceeds 1 % of the accepted purchases, or unavailable grows",
            labels=(Label("outcome", LOOKUP_OUTCOMES),),
        ),
        *MAPPED_FEEDS,
        Metric(
            name="fraudwatch_ingest_paused_sources",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Sources that are paused over the dead-letter quota: feeds and API keys",
            worry_when="it is not 0: what they send is not ingested until they are resumed",
            labels=(Label("reader", QUOTA_READERS),),
        ),
        Metric(
            name="fraudwatch_ingest_field_warnings_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Optional fields that were unusable as sent: cleaned, or unknown",
            worry_when="unknown grows for one field: a source sends it in another form, and the "
            "features of that field know nothing",
            labels=(
                Label("field", OPTIONAL_FIELDS),
                Label("outcome", tuple(str(one) for one in FieldOutcome)),
            ),
        ),
        Metric(
            name="fraudwatch_ingest_ignored_fields_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Fields of accepted messages that are not known, and so were ignored",
            worry_when="it grows with the accepted purchases: a source misspells a field",
        ),
        Metric(
            name="fraudwatch_ingest_reveals_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests to reveal sealed fields",
            worry_when="limited or forbidden is not 0: a person reveals more than work needs",
            labels=(Label("outcome", REVEAL_OUTCOMES),),
        ),
        Metric(
            name="fraudwatch_ingest_notices_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests to notify customers, by outcome",
            worry_when="unsent or uncertain grows: the mail server or the SMS gateway fails",
            labels=(Label("outcome", NOTICE_OUTCOMES),),
        ),
        Metric(
            name="fraudwatch_ingest_disk_pressure",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="0 or 1: the disk has space; 2: ingest slows; 3: it refuses",
            worry_when="it is not 0: the disk is almost full, and senders wait",
        ),
        Metric(
            name="fraudwatch_ingest_watch_list_entries",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Entries of the watch lists in use",
            worry_when="it is 0 where purchases have to be screened",
        ),
        Metric(
            name="fraudwatch_ingest_watch_lists_usable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="Every watch list's file is in use as it is now",
            worry_when="it is 0: a changed file is broken, and its last version screens",
            initial=1.0,
        ),
        Metric(
            name="fraudwatch_ingest_watch_list_matches_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases whose name is similar to an entry of a watch list",
            worry_when="it grows with the accepted purchases: a list has very common names",
        ),
        Metric(
            name="fraudwatch_ingest_watch_list_seconds",
            kind=Kind.HISTOGRAM,
            unit=Unit.SECONDS,
            meaning="Time to screen one purchase with a name",
            worry_when="its 99th percentile is above a millisecond: the lists are too long",
            buckets=SCREENING_SECONDS,
        ),
    ),
)
