"""Count honest customers declined in a month of the simulated shop, and what each rule earns.

Customers travel, one counter in ten uploads its purchases hours late and in no order, some send
0, 0 as their position, and banks decline. The first half is judged by rules alone, the second also
by a model trained on the first. Each world takes about a minute on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.dataset_run import run_facts
from benchmarks.shop import FEWEST_DAYS, measure
from benchmarks.shop_arrivals import plan_of
from benchmarks.shop_text import as_text
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.observability.logs import configure_logging
from fraudwatch.stack.home import ROOT

POLICY: Final = ROOT / "contracts/policies/default.yaml"


def main() -> None:
    """Measure with the default policy and print the report."""
    parser = _parser()
    given = parser.parse_args()
    if given.days < FEWEST_DAYS:
        parser.error(
            f"--days {given.days} leaves no day to train on before the second half; use "
            f"{FEWEST_DAYS} at least"
        )
    configure_logging("shop")
    plans = [
        plan_of(given.days, customers=given.customers, purchases_a_day=given.purchases, seed=seed)
        for seed in range(given.seed, given.seed + given.worlds)
    ]
    began = time.monotonic()
    report = measure(plans, load_policy(POLICY))
    report |= run_facts(time.monotonic() - began)
    sys.stdout.writelines(f"{line}\n" for line in _lines(report, as_json=given.json))


def _lines(report: Mapping[str, Any], *, as_json: bool) -> Iterator[str]:
    if as_json:
        yield json.dumps(report, indent=2)
    else:
        yield from as_text(report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fraudwatch benchmark shop",
        description=__doc__,
        epilog="Example: ./fraudwatch benchmark shop --worlds 4 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, default, meaning in (
        ("days", 30, "simulated days"),
        ("customers", 2_500, "customers of each world"),
        ("purchases", 5_000, "mean purchases a day"),
        ("worlds", 1, "worlds, each of another seed, counted together"),
        ("seed", 7, "seed of the first world"),
    ):
        parser.add_argument(
            f"--{name}", type=_positive, default=default, help=f"{meaning} (default: {default})"
        )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


if __name__ == "__main__":
    main()
