"""Fractional indexes: texts that sort as the rows of a list do, so that a row can be put between two others.

An index is a whole number and a fraction, both in base 36. The whole number begins with a letter that
tells its sign and how many digits follow, so that indexes of any length compare as plain text: `n0` is
0, `nz` is 35, `o00` is 36, `mz` is -1. A fraction has no final 0, so there is always room below it.

Law        low < between(low, high) < high, where either end may be open
Text       Digits and small letters only: they sort alike by code point and in the collations of browsers.
Length     Rows put at either end count up or down: O(log rows). Rows put at random places: O(log rows).
           Only rows put again and again into one gap make longer ones, a digit for about five of them;
           `order` sees to it that there is an end to that.
Method     Fractional indexing, as known from collaborative editors (D. Greenspan, "Implementing
           fractional indexing"), with other digits and another head.
"""

from typing import Final, TypeGuard

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
_VALUE: Final = {digit: place for place, digit in enumerate(_DIGITS)}
_ZERO: Final = ord("n")  # the head of 0 .. 35; those before it are heads of negative numbers


def between(low: str | None, high: str | None) -> str:
    """Return an index after `low` and before `high`; None is an open end.

    >>> between(None, None), between("n0", None), between(None, "n0"), between("n0", "n1")
    ('n0', 'n1', 'mz', 'n0i')

    Args:
        low: An index, less than `high`.
        high: An index.
    """
    if low is None:
        return "n0" if high is None else _below(high)
    whole, fraction = _split(low)
    if high is None:
        return _whole(_number(whole) + 1)
    high_whole, high_fraction = _split(high)
    if whole == high_whole:
        return whole + _middle(fraction, high_fraction)
    following = _whole(_number(whole) + 1)
    return following if following < high else whole + _middle(fraction, None)


def spread(count: int, low: str | None, high: str | None) -> list[str]:
    """Return ascending indexes between two others, as short as if put there in the best order.

    >>> spread(3, None, None), spread(3, "n0", "n1")
    (['n0', 'n1', 'n2'], ['n09', 'n0i', 'n0r'])
    """
    found: list[str] = []
    if high is None:
        for _ in range(count):
            low = between(low, None)
            found.append(low)
        return found
    if low is None:
        for _ in range(count):
            high = between(None, high)
            found.append(high)
        return found[::-1]
    if count == 0:
        return found
    middle = between(low, high)
    before = count // 2
    return [*spread(before, low, middle), middle, *spread(count - 1 - before, middle, high)]


def is_index(text: object) -> TypeGuard[str]:
    """Tell whether a value is an index."""
    if not isinstance(text, str) or not text or not "a" <= text[0] <= "z":
        return False
    whole, fraction = _split(text)
    is_whole = len(whole) == 1 + _digits_after(whole[0])
    return is_whole and not fraction.endswith("0") and _VALUE.keys() >= set(text)


def _below(high: str) -> str:
    whole, fraction = _split(high)
    return whole if fraction else _whole(_number(whole) - 1)


def _digits_after(head: str) -> int:
    """Return how many digits of the whole number follow a head."""
    place = ord(head)
    return place - _ZERO + 1 if place >= _ZERO else _ZERO - place


def _split(index: str) -> tuple[str, str]:
    end = 1 + _digits_after(index[0])
    return index[:end], index[end:]


def _number(whole: str) -> int:
    """Return the number that a whole part stands for; each length begins where the last one ended."""
    size = _digits_after(whole[0])
    shorter: int = sum(_BASE**length for length in range(1, size))
    if ord(whole[0]) >= _ZERO:
        return shorter + int(whole[1:], _BASE)
    longest: int = _BASE**size
    return int(whole[1:], _BASE) - shorter - longest


def _whole(number: int) -> str:
    size, rest = 1, number if number >= 0 else -1 - number
    while rest >= _BASE**size:
        rest -= _BASE**size
        size += 1
    if number < 0:
        rest = _BASE**size - 1 - rest
    head = chr(_ZERO + size - 1 if number >= 0 else _ZERO - size)
    digits = ""
    for _ in range(size):
        rest, digit = divmod(rest, _BASE)
        digits = _DIGITS[digit] + digits
    return head + digits


def _middle(low: str, high: str | None) -> str:
    """Return a fraction between two others; no `high` is one."""
    shared = ""
    if high is not None:
        while low[:1] == high[:1] or (not low and high[0] == "0"):
            shared, low, high = shared + high[0], low[1:], high[1:]
    while True:
        least = _VALUE[low[0]] if low else 0
        most = _VALUE[high[0]] if high is not None else _BASE
        if most - least > 1:
            return shared + _DIGITS[(least + most) // 2]
        if high is not None and len(high) > 1:
            return shared + high[0]
        shared, low, high = shared + _DIGITS[least], low[1:], None
