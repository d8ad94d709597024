"""Collect verdicts as columns: about thirty bytes each, so that millions fit in memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from fraudwatch.application.evaluation.ports import Verdicts, key_bytes, keys_from
from fraudwatch.domain.messages.verdict import Outcome

MAX_RULES = 64
_OUTCOMES = {str(outcome): position for position, outcome in enumerate(Outcome)}


class TooManyRules(ValueError):
    """More rules than the bit column has bits."""


class VerdictColumns:
    """Collects one verdict after the other."""

    def __init__(self) -> None:
        self._transaction, self._verdict = bytearray(), bytearray()
        self._score, self._outcome = array("d"), array("b")
        self._rules, self._judge = array("Q"), array("h")
        self._rule_names: dict[str, int] = {}
        self._judges: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._score)

    def add(
        self, ids: tuple[str, str], scored: tuple[str, float | None], rules: Iterable[str], by: str
    ) -> None:
        """Add a verdict.

        Args:
            ids: of the transaction and of the verdict.
            scored: outcome and score; without a score it counts as no verdict.
            rules: names of the rules that hit.
            by: mode and policy.
        """
        outcome, score = scored
        self._transaction += key_bytes(ids[0])
        self._verdict += key_bytes(ids[1])
        self._outcome.append(_OUTCOMES[outcome])
        self._score.append(float("nan") if score is None else score)
        self._rules.append(self._bits(rules))
        self._judge.append(self._judges.setdefault(by, len(self._judges)))

    def _bits(self, rules: Iterable[str]) -> int:
        bits = 0
        for rule in rules:
            bits |= 1 << self._rule_names.setdefault(rule, len(self._rule_names))
        if len(self._rule_names) > MAX_RULES:
            raise TooManyRules(
                f"the verdicts name more than {MAX_RULES} rules, so no report can be made; widen"
                " the column of bits"
            )
        return bits

    def finished(self) -> Verdicts:
        """Return everything collected."""
        return Verdicts(
            transaction=keys_from(self._transaction),
            verdict=keys_from(self._verdict),
            score=np.array(self._score, dtype=np.float64),
            outcome=np.array(self._outcome, dtype=np.int8),
            rules=np.array(self._rules, dtype=np.uint64),
            rule_names=tuple(self._rule_names),
            scorer=np.array(self._judge, dtype=np.int16),
            scorers=tuple(self._judges),
        )
