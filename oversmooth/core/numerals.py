"""Numbers as a person reads them."""

import math

MOST_DECIMALS = 5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """A number for a person: ``0.362``, ``1,234``, ``−0.05``, ``1.2×10⁻⁷``, ``1 − 4×10⁻⁹``, ``missing``; never ``nan``.

    Args:
        value: any float.
        digits: significant digits; integers below ten million keep all of theirs.
    """
    if math.isnan(value):
        return "missing"
    sign = "−" if value < 0 else ""
    size = abs(value)
    if math.isinf(size):
        return f"{sign}∞"
    if size == 0:
        return "0"
    # Just below 1 the distance to 1 is what counts: a cosine of 0.99998 is not one of 1.
    while size < 1 and float(f"{size:.{digits}g}") == 1:
        if digits >= MOST_DECIMALS:
            distance = number(1 - size, 2)
            return f"−1 + {distance}" if sign else f"1 − {distance}"
        digits += 1
    mantissa, _, power = f"{size:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if not -4 <= exponent < 7:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{sign}{mantissa}×10{str(exponent).translate(_SUPERSCRIPTS)}"
    if size == int(size):
        return f"{sign}{int(size):,}"
    return f"{sign}{size:,.{max(0, digits - 1 - exponent)}f}"


def signed(value: float, digits: int = 3) -> str:
    """A difference for a person: as :func:`number`, with a plus before what is above zero."""
    return f"{'+' if value > 0 else ''}{number(value, digits)}"


def arrow(first: float, last: float) -> str:
    """``0.06 → 0.36``: both with the decimals that their difference needs."""
    return " → ".join(pair(first, last))


def between(low: float, high: float) -> str:
    """``0.31 to 0.41``: both with the decimals that their difference needs."""
    return " to ".join(pair(low, high))


def pair(first: float, last: float) -> tuple[str, str]:
    """Two numbers with the decimals that their difference needs."""
    defined = math.isfinite(first) and math.isfinite(last)
    decimals = decimals_for(last - first, max(abs(first), abs(last))) if defined else None
    if decimals is None:
        return number(first), number(last)
    # A cosine of 0.999 is not one of 1.00.
    while max(abs(first), abs(last)) <= 1 and any(_reads_as_one(value, decimals) for value in (first, last)):
        decimals += 1
        if decimals > MOST_DECIMALS:
            return number(first), number(last)
    return fixed(first, decimals), fixed(last, decimals)


def decimals_for(difference: float, size: float) -> int | None:
    """Decimals that show a difference, at least two below ten; None where a number would be too long."""
    if difference == 0 or size >= 1e7:
        return None
    # Subtraction leaves 0.01 a little below itself.
    needed = -math.floor(math.log10(abs(difference)) + 1e-9)
    decimals = max(needed, 2 if size < 10 else 1 if size < 1000 else 0)
    return decimals if decimals <= MOST_DECIMALS else None


def _reads_as_one(value: float, decimals: int) -> bool:
    return abs(value) < 1 and float(f"{abs(value):.{decimals}f}") == 1


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals, thousands apart, and no minus before a zero."""
    text = f"{abs(value):,.{decimals}f}"
    return f"−{text}" if value < 0 and float(text.replace(",", "")) != 0 else text
