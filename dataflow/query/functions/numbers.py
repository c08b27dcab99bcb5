"""Numbers: rounding, powers. Arithmetic is written with the operators of Python."""

from __future__ import annotations

from typing import Any

from dataflow.query.expr import Expr, call, operand


def abs_(number: object) -> Expr[Any]:
    """Return a number or duration without its sign."""
    return call("abs", operand(number, "abs_"))


def round_(number: object, digits: object = 0) -> Expr[Any]:
    """Round a number to decimal digits; halves go to the even neighbour, as in Python."""
    return call("round", operand(number, "round_"), operand(digits, "round_"))


def floor(number: object) -> Expr[Any]:
    """Round a number down to a whole one."""
    return call("floor", operand(number, "floor"))


def ceil(number: object) -> Expr[Any]:
    """Round a number up to a whole one."""
    return call("ceil", operand(number, "ceil"))


def sign(number: object) -> Expr[Any]:
    """Return -1, 0 or 1 as a number is below, at or above zero; NaN for NaN."""
    return call("sign", operand(number, "sign"))


def power(base: object, exponent: object) -> Expr[float]:
    """Return a number to the power of another one, as a float; null if it is not real.

    >>> power(2, 10)
    <Expr power(2, 10)>
    """
    return call("power", operand(base, "power"), operand(exponent, "power"))


def sqrt(number: object) -> Expr[float]:
    """Return the square root of a number, as a float; null of a negative one."""
    return call("sqrt", operand(number, "sqrt"))


def exp(number: object) -> Expr[float]:
    """Return e to the power of a number."""
    return call("exp", operand(number, "exp"))


def ln(number: object) -> Expr[float]:
    """Return the natural logarithm of a number; null unless it is positive."""
    return call("ln", operand(number, "ln"))
