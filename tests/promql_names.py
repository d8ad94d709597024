"""List the metric names of PromQL expressions, and of the alert rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import promql_parser
import yaml

from fraudwatch.stack.home import ROOT

RULES = ROOT / "monitoring/prometheus/rules"


def metric_names(expression: str) -> frozenset[str]:
    """Return the names of all metrics that an expression reads.

    Raises:
        ValueError: it is no PromQL, or selects series without a name.
    """
    names = set[str]()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            names.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    if None in names:
        raise ValueError(f"a selector without a metric name: {expression}")
    return frozenset(names)


def all_rules() -> Iterator[dict[str, Any]]:
    """Yield every recording rule and alert of monitoring/prometheus/rules."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            yield from group["rules"]


def scraped_names() -> frozenset[str]:
    """Return the metrics that rules read and no rule records."""
    rules = list(all_rules())
    recorded = {rule["record"] for rule in rules if "record" in rule}
    read = {name for rule in rules for name in metric_names(rule["expr"])}
    return frozenset(read - recorded)
