"""Arithmetic of results: percentiles, ratios, what changed since another result."""

from collections.abc import Iterable, Sequence
from typing import Any

Figures = Iterable[dict[str, Any]]
NOTABLE = 0.10  # a change of less is noise


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least value that so many percent of all do not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def key_of(figure: dict[str, Any]) -> tuple[str, str, int, int]:
    """Return what tells a figure from all others of a result."""
    return figure["measure"], figure["subject"], figure["size"], figure["connections"]


def ratio(figures: Figures, figure: dict[str, Any], to: str) -> float | None:
    """Return how many times cheaper Alta is than another subject in the same run (x)."""
    wanted = (figure["measure"], to, figure["size"], figure["connections"])
    for other in figures:
        if key_of(other) == wanted and figure["cpu_ms"]:
            return float(other["cpu_ms"] / figure["cpu_ms"])
    return None


def growth(figures: Figures, measure: str, subject: str = "alta") -> float | None:
    """Return the cost at the largest size as a multiple of that at the smallest."""
    found = sorted(
        (f for f in figures if f["measure"] == measure and f["subject"] == subject),
        key=lambda f: int(f["size"]),
    )
    if len({f["size"] for f in found}) < 2 or not found[0]["cpu_ms"]:
        return None
    return float(found[-1]["cpu_ms"] / found[0]["cpu_ms"])


def changes(before: Figures, after: Figures) -> list[tuple[dict[str, Any], float]]:
    """Return Alta's figures that differ notably from another result, with the factor.

    Where both results have the floor, costs are compared in floors: machines differ.
    """
    old = {key_of(figure): figure for figure in before}
    unit = _unit(old.values()), _unit(after := list(after))
    scale = unit[1] / unit[0] if unit[0] and unit[1] else 1.0
    found = []
    for figure in after:
        known = old.get(key_of(figure))
        if known is None or figure["subject"] != "alta" or not known["cpu_ms"]:
            continue
        factor = figure["cpu_ms"] / known["cpu_ms"] / scale
        if abs(factor - 1) >= NOTABLE:
            found.append((figure, factor))
    return found


def _unit(figures: Figures) -> float | None:
    for figure in figures:
        if figure["subject"] == "floor" and figure["measure"] == "post":
            return float(figure["cpu_ms"])
    return None
