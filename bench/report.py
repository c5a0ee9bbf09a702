"""A result as JSON, as a table, as plots; and what changed since the one that was committed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import plots
from bench.figures import changes, growth, ratio
from bench.measures import (
    BAR_OF_CONNECTIONS,
    BAR_OF_MEMORY_MIB,
    BY_KEY,
    GOAL_OF_MEMORY_MIB,
    ONLY_AT,
    Measure,
)

MOST_OTHERS = 0.10  # of the machine, used by others: above it req/s and latencies mean little
Document = dict[str, Any]


def keep(document: Document, name: str, folder: Path) -> str:
    """Write a result as NAME.json, NAME.md and plots; return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    before = committed(folder / f"{name}.json")
    text = table(document, before)
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
    for key, drawing in drawings(document):
        (folder / f"{name}-{key}.svg").write_text(drawing)
    return text


def committed(path: Path) -> Document | None:
    """Return the result as it stands in the last commit, if there is one."""
    done = subprocess.run(
        ["git", "show", f"HEAD:./{path.name}"],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def table(document: Document, before: Document | None = None) -> str:
    """Return a result as Markdown."""
    parts = [
        "# Alta, measured",
        "",
        _machine(document),
        "",
        *_guard(document),
        *_requests(document),
        "",
        *_grown(document),
        *_facts(document),
        *_compared(document, before),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _machine(document: Document) -> str:
    machine, sizes = document["machine"], document["sizes"]
    return (
        f"{machine['when']}, commit {machine['commit']}: {machine['cores']} cores of "
        f"{machine['processor']}, {machine['memory_gib']} GiB, Linux {machine['kernel']}, "
        f"PostgreSQL {machine['postgresql']}, Python {machine['python']}. Medians of "
        f"{sizes['runs']} runs of {sizes['seconds']:g} s."
    )


def _guard(document: Document) -> Iterator[str]:
    others = [figure["others"] for figure in document["figures"]]
    if others and max(others) > MOST_OTHERS:
        yield (
            f"**Others used up to {max(others):.0%} of the machine meanwhile** (mean "
            f"{sum(others) / len(others):.0%}): CPU milliseconds hold, requests a second and "
            "latencies do not."
        )
        yield ""


def _requests(document: Document) -> Iterator[str]:
    yield (
        "| work | size | Alta, CPU ms | server + database | floor × | vanilla × "
        "| persistent × | bar | goal | req/s | p50 | p99 ms |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    figures = document["figures"]
    for figure in figures:
        if figure["subject"] != "alta":
            continue
        measure = BY_KEY.get(figure["measure"])
        name = measure.title if measure else figure["measure"]
        if figure["connections"] != document["sizes"].get("connections", 4):
            name += f", {figure['connections']} at once"
        floor = ratio(figures, figure, "floor")
        cells = [
            name,
            f"{figure['size']:,}",
            f"**{figure['cpu_ms']:.2f}**",
            f"{figure['server_ms']:.2f} + {figure['database_ms']:.2f}",
            f"{1 / floor:.1f}" if floor else "",
            *(_times(ratio(figures, figure, to)) for to in ("vanilla", "vanilla-persistent")),
            _met(measure, figure, "bar"),
            _met(measure, figure, "goal"),
            f"{figure['rps']:,.0f}",
            f"{figure['p50_ms']:.1f}",
            f"{figure['p99_ms']:.1f}",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield (
        "«floor ×»: how many floors it costs. «vanilla ×», «persistent ×»: how many times more "
        "the vanilla project costs, as it is and with connections kept open."
    )


def _times(value: float | None) -> str:
    return f"{value:,.1f}" if value else ""


def _met(measure: Measure | None, figure: Document, which: str) -> str:
    limit = getattr(measure, which) if measure else None
    if measure is None or limit is None:
        return ""
    if ONLY_AT.get(measure.key, figure["size"]) != figure["size"]:
        return ""
    return f"{'✓' if figure['cpu_ms'] <= limit else '✗'} {limit:g}"


def _grown(document: Document) -> Iterator[str]:
    rows = []
    for measure in BY_KEY.values():
        for subject in ("alta", "vanilla"):
            grown = growth(document["figures"], measure.key, subject)
            if grown is None:
                continue
            bar = ""
            if subject == "alta" and measure.flat:
                bar = f"{'✓' if grown <= measure.flat else '✗'} {measure.flat:g}"
            rows.append(f"| {measure.title} | {subject} | {grown:.2f} | {bar} |")
    if rows:
        yield "| growth, largest size to smallest | | × | bar |"
        yield "|---|---|--:|--:|"
        yield from rows
        yield ""


def _facts(document: Document) -> Iterator[str]:
    facts = document["facts"]
    if memory := facts.get("memory_mib"):
        yield "| memory after all of it, MiB | shared pages once | each time | bar | goal |"
        yield "|---|--:|--:|--:|--:|"
        for name, held in memory.items():
            bars = ["", ""]
            if name == "alta":
                limits = BAR_OF_MEMORY_MIB, GOAL_OF_MEMORY_MIB
                bars = [f"{'✓' if held['pss'] < limit else '✗'} {limit}" for limit in limits]
            yield f"| {name} | {held['pss']} | {held['rss']} | {bars[0]} | {bars[1]} |"
        yield ""
    rates = {
        figure["connections"]: figure["rps"]
        for figure in document["figures"]
        if figure["measure"] == "post" and figure["subject"] == "alta"
    }
    if {1, 8} <= rates.keys():
        times = rates[8] / rates[1]
        mark = "✓" if times >= BAR_OF_CONNECTIONS else "✗"
        yield (
            f"POST over 8 connections against 1: {times:.2f} × the requests a second "
            f"({mark} {BAR_OF_CONNECTIONS})."
        )
        yield ""
    if parts := facts.get("parts_of_post"):
        yield "| part of a POST, CPU ms | it costs | server + database | of the whole |"
        yield "|---|--:|--:|--:|"
        for part in parts:
            yield (
                f"| {part['title']} | **{part['cost_ms']:.3f}** | {part['server_ms']:.3f} + "
                f"{part['database_ms']:.3f} | {part['cost_ms'] / part['with_ms']:.0%} |"
            )
        yield ""
    if trail := facts.get("trail"):
        yield f"| the trail with {trail['events']:,} events | |"
        yield "|---|--:|"
        for row in trail["rows"]:
            yield f"| {row['title']} | {row['told']} |"
        yield ""
    if "took_s" in facts:
        yield f"The whole took {facts['took_s'] // 60} min {facts['took_s'] % 60} s."
        yield ""


def _compared(document: Document, before: Document | None) -> Iterator[str]:
    if before is None:
        return
    changed = changes(before["figures"], document["figures"])
    then = f"the result of {before['machine']['when']} ({before['machine']['commit']})"
    if not changed:
        yield f"Against {then}: nothing changed by more than a tenth."
        return
    yield f"Against {then}, in floors:"
    yield ""
    for figure, factor in changed:
        yield f"- {figure['measure']} at {figure['size']:,}: × {factor:.2f}"


def drawings(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (key, SVG) of each measure that has several sizes."""
    for measure in BY_KEY.values():
        lines: dict[str, list[tuple[float, float]]] = {}
        for figure in document["figures"]:
            if figure["measure"] == measure.key and figure["cpu_ms"] > 0:
                points = lines.setdefault(figure["subject"], [])
                points.append((figure["size"], figure["cpu_ms"]))
        if any(len({x for x, _ in points}) > 1 for points in lines.values()):
            yield measure.key, plots.growth(measure.title, measure.axis, lines)
