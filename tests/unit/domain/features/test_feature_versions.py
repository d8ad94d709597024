"""FEATURES_VERSION and VIEWS_VERSION must be raised when, and only when, a result can change.

Two guards: a fingerprint of the compiled kernels and of the catalogues' values, blind to names,
docstrings and comments; and golden vectors, which also detect another compiler. After a change of
meaning raise the version, then renew both with ``UPDATE_GOLDEN=1 pytest`` on this file.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import json
import math
import os
import random
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fraudwatch.domain.features import (
    catalogue,
    customer_rows,
    fold,
    great_circle,
    habits,
    hashing,
    known,
    packed_rows,
    pages,
    places,
    refunds,
    state,
    windows,
)
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views import catalogue as views

GOLDEN = Path(__file__).with_name("feature_versions.json")
KERNELS = (
    fold, great_circle, habits, hashing, known, packed_rows, pages, places, state, windows,
)  # fmt: skip
START_MS = 1_795_262_400_000
# Results of sin, cos and asin may differ in the last place between two builds of the C library.
TRIGONOMETRIC = ("from_located_km", "from_located_kmh", "billing_to_shipping_km")


class Anonymous(ast.NodeTransformer):
    """Replaces every name of ours by the order of its first use, and drops what is not executed."""

    def __init__(self) -> None:
        self._order: dict[str, str] = {}

    def _alias(self, name: str) -> str:
        if name in {"np", "math"} or hasattr(builtins, name):
            return name
        return self._order.setdefault(name, f"name{len(self._order)}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns, node.name = [], None, ""
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation, node.arg = None, self._alias(node.arg)
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._alias(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        is_library = isinstance(node.value, ast.Name) and node.value.id in {"np", "math"}
        if not is_library:
            node.attr = self._alias(node.attr)
        return self.generic_visit(node)


def kernels_of(modules: Iterable[ModuleType]) -> list[str]:
    """One digest a compiled function, sorted: its file does not matter.

    The function of ``great_circle`` is plain Python there and compiled in ``places``.
    """
    return sorted(
        digest(ast.dump(Anonymous().visit(node)))
        for module in modules
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef) and (module is great_circle or is_compiled(node))
    )


def is_compiled(node: ast.FunctionDef) -> bool:
    return [ast.unparse(decorator) for decorator in node.decorator_list] == ["compiled"]


def constants_of(*modules: ModuleType) -> list[float]:
    """Numbers that kernels and catalogues are made of, wherever and under whatever name."""
    return sorted(
        {
            float(value)
            for module in modules
            for name, value in vars(module).items()
            if isinstance(value, int | float) and name.isupper() and not name.endswith("_VERSION")
        }
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def features_fingerprint() -> str:
    values = {
        "kernels": kernels_of(KERNELS),
        "constants": constants_of(catalogue, *KERNELS),
        "features": [feature.name for feature in catalogue.FEATURES],
        "windows": [(w.name, w.tile_ms, w.tiles) for w in catalogue.WINDOWS],
        "state": {
            name: (array.dtype.str, array.shape[1:])
            for name, array in customer_rows.CustomerRows.empty(1)._asdict().items()
        },
    }
    return digest(json.dumps(values, sort_keys=True))


def refunds_fingerprint() -> str:
    """Apart from the others: a log without refunds makes the same features whatever it is."""
    return digest(json.dumps(kernels_of([refunds])))


def views_fingerprint() -> str:
    values = {
        "kernels": kernels_of([hashing]),
        "constants": constants_of(views),
        "columns": [(one.name, one.entity, one.since) for one in views.VIEW_FEATURES],
        "plain": views.PLAIN_FRAUD_DAYS,
    }
    return digest(json.dumps(values, sort_keys=True))


def some_events(count: int = 60) -> Events:
    """Three customers with bursts, a pause, late events, repeats and unknown values."""
    chance = random.Random(20_261_129)

    def position(unknown_share: float) -> tuple[float, float]:
        if chance.random() < unknown_share:
            return chance.choice(((math.nan, math.nan), (math.nan, math.nan), (0.0, 0.0)))
        return round(chance.uniform(-60, 60), 2), round(chance.uniform(-170, 170), 2)

    rows, now_ms = [], START_MS
    for number in range(count):
        now_ms += chance.choice((20_000, 400_000, 5_000_000, 90_000_000, 800_000_000))
        late_ms = chance.choice((0, 0, 0, 0, 30_000, 3_000_000, 3 * DAY_MS, 40 * DAY_MS))
        if number == 2 * count // 3:
            now_ms += 61 * DAY_MS  # everybody begins anew
        rows.append(
            (
                chance.randrange(1, 4),
                number if chance.random() > 0.1 else max(0, number - 2),
                now_ms - late_ms,
                now_ms,
                chance.choice((0, 99, 499, 500, 12_345, 800_000)),
                chance.random() < 0.8,
                chance.random() < 0.6,
                *position(0.3),
                *position(0.2),
                *position(0.4),
                chance.choice((math.nan, 1.0, 7.0)),
                *(chance.randrange(limit) for limit in (10, 40, 10, 10)),
            )
        )
    columns = zip(*rows, strict=True)
    kinds = (
        np.uint64,
        np.uint64,
        np.int64,
        np.int64,
        np.int64,
        np.bool_,
        np.bool_,
        *[np.float64] * 7,
    )
    all_kinds = (*kinds, *[np.uint64] * 4)
    return Events(*(np.array(c, dtype=k) for c, k in zip(columns, all_kinds, strict=True)))


def golden_vectors() -> list[list[float | None]]:
    features = fold.fold(state.CustomerState(), some_events()).features
    return [[None if math.isnan(v) else v for v in row] for row in features.tolist()]


def today() -> dict[str, Any]:
    return {
        "features_version": catalogue.FEATURES_VERSION,
        "features_fingerprint": features_fingerprint(),
        "refunds_fingerprint": refunds_fingerprint(),
        "views_version": views.VIEWS_VERSION,
        "views_fingerprint": views_fingerprint(),
        "vectors": golden_vectors(),
    }


def recorded() -> dict[str, Any]:
    if os.environ.get("UPDATE_GOLDEN"):
        lines = json.dumps(today()).replace("[[", "[\n[").replace("], [", "],\n[")
        GOLDEN.write_text(f"{lines}\n", "utf-8")
    return dict(json.loads(GOLDEN.read_text("utf-8")))


def test_a_change_of_the_fold_or_its_catalogue_raises_the_version_of_the_features() -> None:
    golden = recorded()
    assert features_fingerprint() == golden["features_fingerprint"]
    assert refunds_fingerprint() == golden["refunds_fingerprint"]
    assert golden["features_version"] == catalogue.FEATURES_VERSION


def test_a_change_of_the_view_columns_raises_their_version() -> None:
    golden = recorded()
    assert views_fingerprint() == golden["views_fingerprint"]
    assert golden["views_version"] == views.VIEWS_VERSION


def test_the_golden_events_still_make_the_golden_vectors() -> None:
    loose = [catalogue.FEATURE_INDEX[name] for name in TRIGONOMETRIC]
    found, golden = (
        np.array(rows, dtype=np.float64) for rows in (golden_vectors(), recorded()["vectors"])
    )
    assert np.allclose(found[:, loose], golden[:, loose], rtol=1e-12, equal_nan=True)
    exact = np.delete(np.arange(len(catalogue.FEATURES)), loose)
    assert np.array_equal(found[:, exact], golden[:, exact], equal_nan=True)
    is_known = ~np.isnan(golden)
    assert is_known.any(axis=0).all(), "every feature is known of some golden event"
    assert (~is_known).all(axis=1).any(), "some golden event is a repeat or too late"


def kernel(source: str) -> str:
    return digest(ast.dump(Anonymous().visit(ast.parse(source).body[0])))


def test_the_fingerprint_is_blind_to_names_and_docstrings_and_to_nothing_else() -> None:
    before = kernel('def f(row: int) -> int:\n    """Add."""\n    return row + LIMIT')
    assert kernel("def add(place):\n    return place + BOUND") == before
    for other in ("return row + row", "return row - LIMIT", "return min(row, LIMIT)"):
        assert kernel(f"def f(row):\n    {other}") != before
    assert kernel("def f(a, b):\n    return max(a, b)") != kernel(
        "def f(a, b):\n    return min(a, b)"
    )
