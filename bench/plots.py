"""Growth as SVG: CPU milliseconds a request against the size, both axes by powers of ten."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 40, 44
COLOURS = ("#1d4ed8", "#b45309", "#a855f7", "#047857", "#be123c", "#475569")

Points = Sequence[tuple[float, float]]


def growth(title: str, unit: str, lines: Mapping[str, Points]) -> str:
    """Draw a line for each name. Points are (size, milliseconds), both above zero."""
    every = [point for points in lines.values() for point in points]
    columns = _decades([x for x, _ in every])
    rows = _decades([y for _, y in every])

    def x_of(value: float) -> float:
        share = (log10(value) - columns[0]) / (columns[-1] - columns[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        share = (log10(value) - rows[0]) / (rows[-1] - rows[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-size="15">{escape(title)}: CPU ms a request</text>',
    ]
    for power in rows:
        y = y_of(10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        )
    for power in columns:
        x = x_of(10.0**power)
        label = _short(10.0**power)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>'
        )
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(unit)}</text>'
    )
    ends = [y_of(sorted(points)[-1][1]) for points in lines.values()]
    heights = _apart(ends)
    for (name, points), height, colour in zip(lines.items(), heights, COLOURS * 3, strict=False):
        places = [(x_of(x), y_of(y)) for x, y in sorted(points)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        last = sorted(points)[-1][1]
        parts.append(
            f'<text x="{WIDTH - RIGHT + 8}" y="{height + 4:.1f}" fill="{colour}">'
            f"{escape(name)} {last:.3g}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def _decades(values: Sequence[float]) -> list[int]:
    """Return the powers of ten that enclose some values: at least two."""
    first, last = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    return list(range(first, max(last, first + 1) + 1))


def _apart(heights: Sequence[float], least: float = 15) -> list[float]:
    """Return heights for labels such that none covers another, in the order given."""
    order = sorted(range(len(heights)), key=lambda n: heights[n])
    placed = list(heights)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + least)
    beyond = max(0.0, max(placed, default=0.0) - (HEIGHT - BOTTOM))
    return [height - beyond for height in placed]


def _short(value: float) -> str:
    """Return 1000 as 1k and a million as 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
