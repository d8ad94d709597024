"""Every rule has a sentence for customers, and none helps a fraudster."""

from __future__ import annotations

import re

from fraudwatch.application.console.customer_reasons import (
    GENERAL,
    NOT_GIVEN,
    RIGHTS,
    SENTENCES,
    reasons_for_customer,
)
from fraudwatch.application.scoring.reasons import CONTROL_GROUP, HIGH_VALUE, MODEL, NOVELTY
from fraudwatch.domain.messages.verdict import Reason
from fraudwatch.domain.rules.catalogue import RULES
from fraudwatch.domain.rules.lists import ALLOW_LIST, DenyList


def test_every_rule_and_model_has_a_sentence() -> None:
    named = {*RULES, DenyList.name, MODEL, "anomaly", NOVELTY, HIGH_VALUE}
    assert named == set(SENTENCES)
    assert {ALLOW_LIST, CONTROL_GROUP} == NOT_GIVEN


def test_no_sentence_has_a_limit_a_list_a_score_or_another_customer() -> None:
    revealing = re.compile(
        r"\d|list|score|rule|model|limit|threshold|fraud|risk|customer|merchant", re.IGNORECASE
    )
    for sentence in (*SENTENCES.values(), GENERAL, RIGHTS):
        assert not revealing.search(sentence), sentence


def test_sentences_come_once_in_the_order_of_the_reasons() -> None:
    reasons = [
        Reason("card_testing", 50, "4 attempts below 5.00 EUR within 1 h; threshold 4."),
        Reason("high_amount", 50, "Amount 1,200.00 EUR; threshold 1,000.00 EUR."),
        Reason("failed_payments", 30, "3 failed payments within 10 min; threshold 3."),
        Reason("control_group", 0, "Reviewed to measure the precision of declines."),
    ]
    assert reasons_for_customer(reasons) == [
        "There were several payment attempts within a short time.",
        "The amount is unusual for this card or account.",
    ]


def test_an_unknown_rule_and_no_rule_give_the_general_sentence() -> None:
    assert reasons_for_customer([Reason("made_tomorrow", 1, "9 of 7.")]) == [GENERAL]
    assert reasons_for_customer([]) == [GENERAL]
