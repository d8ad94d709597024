"""Arithmetic between columns: ``"{quantity} * {unit price}"``, exact in decimal numbers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException, localcontext

from fraudwatch.adapters.datasets.templates import pieces

Evaluate = Callable[[Sequence[Decimal]], Decimal]
NO_NUMBER = "no number"
"""Result where a column is no number; no numeric field accepts it, so the row is a bad row."""
_DIGITS = 40
_OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Decimal]] = {"abs": abs, "min": min, "max": max}


class WrongExpression(ValueError):
    """The text is no arithmetic between columns."""


class Expression:
    """Compiled arithmetic over columns."""

    def __init__(self, text: str) -> None:
        """Compile the text.

        Raises:
            WrongExpression: it is none, with the reason.
        """
        source = ""
        names: list[str] = []
        for part, is_column in pieces(text):
            source += f" _{len(names)} " if is_column else part
            names += [part] if is_column else []
        if not names:
            raise WrongExpression("names no column, as in {column} * 2")
        self.names = names
        try:
            tree = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            raise WrongExpression(_EXAMPLE) from None
        self._evaluate = _compiled(tree)

    def text_of(self, values: Sequence[str | None]) -> str | None:
        """Evaluate for a row of plain numbers; None if a column is absent."""
        if any(value is None for value in values):
            return None
        try:
            with localcontext() as context:
                context.prec = _DIGITS
                result = self._evaluate([Decimal(value or "") for value in values])
        except (DecimalException, TypeError):
            return NO_NUMBER
        return format(result, "f") if result.is_finite() else NO_NUMBER


_EXAMPLE = "must be arithmetic of columns and numbers, with + - * / // % ( ), abs, min and max"


def _compiled(node: ast.expr) -> Evaluate:
    match node:
        case ast.Name(id=name) if name[:1] == "_" and name[1:].isdigit():
            position = int(name[1:])
            return lambda values: values[position]
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            constant = Decimal(str(number))
            return lambda _: constant
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compiled(operand)
            return lambda values: -inner(values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            operation, one, other = _OPERATIONS[type(op)], _compiled(left), _compiled(right)
            return lambda values: operation(one(values), other(values))
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as arguments, keywords=[]) if (
            name in _FUNCTIONS and (name == "abs") == (len(arguments) == 1)
        ):
            function, parts = _FUNCTIONS[name], [_compiled(one) for one in arguments]
            return lambda values: function(*(part(values) for part in parts))
    raise WrongExpression(_EXAMPLE)
