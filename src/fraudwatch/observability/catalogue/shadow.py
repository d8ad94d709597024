"""Declare the metrics of the shadow."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.models.canary_check import MEASURES
from fraudwatch.domain.shadow import NotCompared
from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

SHADOW: Final = Section(
    "Shadow",
    ("shadow",),
    "",
    (
        Metric(
            name="fraudwatch_shadow_active",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while a candidate is compared with the live policy and model",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_shadow_candidate_usable",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 unless the candidate's files, or the topics of its counts, cannot be used",
            worry_when="it is 0: nothing is compared; the shadow's log has the reason",
            initial=1.0,
        ),
        Metric(
            name="fraudwatch_shadow_compared_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases scored by the candidate beside their live verdict",
            worry_when="it stops increasing while fraudwatch_shadow_active is 1 and verdicts come",
        ),
        Metric(
            name="fraudwatch_shadow_different_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Compared purchases to which the candidate gives another outcome",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_shadow_alerts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Alerts among the compared purchases",
            worry_when="the candidate's grow much faster than the live ones",
            labels=(Label("side", ("live", "candidate")),),
        ),
        Metric(
            name="fraudwatch_shadow_not_compared_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases that could not be compared, by reason",
            worry_when="it grows with every purchase: the comparison is empty",
            labels=(Label("reason", tuple(str(reason) for reason in NotCompared)),),
        ),
        Metric(
            name="fraudwatch_shadow_unlike_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Candidate verdicts with the live versions and other bytes than the live one",
            worry_when="it is not 0: shadow and detector do not run the same code",
        ),
        Metric(
            name="fraudwatch_shadow_copies_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Repeated verdicts, not compared again; some after a restart of the detector",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_shadow_unreadable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages without a valid verdict",
            worry_when="it is not 0: the persister has dead-lettered the messages with the reason",
        ),
        Metric(
            name="fraudwatch_shadow_paused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the store is unavailable and nothing is compared",
            worry_when="it stays 1 for a minute: Cassandra is unavailable",
        ),
        Metric(
            name="fraudwatch_shadow_lag_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the oldest verdict read and not counted yet; 0 while none waits",
            worry_when="it grows for hours: the machine is full, and the comparison lags behind",
        ),
        Metric(
            name="fraudwatch_shadow_canary_share_ratio",
            kind=Kind.GAUGE,
            unit=Unit.RATIO,
            meaning="Share of the customers whom a canary scores; 0 without a canary",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_shadow_canary_purchases_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Purchases counted while a canary is active, by the model that scored them",
            worry_when="the canary's stop while its share is above 0 and verdicts come",
            labels=(Label("group", ("canary", "champion")),),
        ),
        Metric(
            name="fraudwatch_shadow_canary_times_champion",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Canary's alerts, declines and mean score per purchase, over the champion's",
            worry_when="it leaves 0.5 to 2; beyond chance the canary is rolled back by itself",
            labels=(Label("measure", tuple(measure.name for measure in MEASURES)),),
        ),
        Metric(
            name="fraudwatch_shadow_canary_rolled_back_at_seconds",
            kind=Kind.GAUGE,
            unit=Unit.EPOCH_SECONDS,
            meaning="When the newest canary was rolled back by itself; 0 if it was not",
            worry_when="it is of today: the shadow's log and the Model page have the reason",
        ),
        Metric(
            name="fraudwatch_shadow_sandbox_verdicts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts of sandbox purchases published",
            worry_when="it stops while fraudwatch_ingest_sandbox_accepted_total increases",
        ),
        Metric(
            name="fraudwatch_shadow_sandbox_unscored_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Sandbox purchases without a verdict: repeated, too late, or unpublished",
            worry_when=NEVER_ALONE,
        ),
    ),
)
