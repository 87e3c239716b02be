"""The law of the wall: Reichardt's formula (ZAMM 31, 1951), from the wall to the logarithmic layer."""

import math

KAPPA = 0.41


def speed(y):
    """Mean speed at distance y, both in wall units."""
    buffer = 1 - math.exp(-y / 11) - y / 11 * math.exp(-y / 3)
    return math.log1p(KAPPA * y) / KAPPA + 7.8 * buffer


def distance(reynolds):
    """Distance y in wall units at which y * speed(y) is this Reynolds number: the inverse, by bisection."""
    low, high = 1e-4, 1e7
    while high / low > 1 + 1e-14:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if middle * speed(middle) < reynolds else (low, middle)
    return math.sqrt(low * high)
