"""The closing summary of a run: for people as tables, for programs as JSON."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portal.simulator.client import NO_ANSWER, Sample
from portal.simulator.verify import Mismatch

SHOWN = 10
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True)
class Outcome:
    """Everything there is to say about a finished or interrupted run."""

    idp: str
    url: str
    seed: str
    users: int
    groups: int
    seconds: float
    retries: int
    samples: list[Sample]
    mismatches: list[Mismatch]
    error: str = ""

    @property
    def is_clean(self) -> bool:
        """Tell whether the server kept everything it was sent."""
        return not self.mismatches and not self.error


def latency(samples: Iterable[Sample]) -> dict[str, float]:
    """Return nearest-rank quantiles in milliseconds; empty without samples."""
    ordered = sorted(sample.ms for sample in samples)
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {name: round(ordered[round(last * share)], 1) for name, share in QUANTILES.items()}


def by_kind(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the samples under their kind, in the order of first use."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.kind].append(sample)
    return groups


def statuses(samples: Iterable[Sample]) -> dict[str, int]:
    """Return how often each status came back."""
    counted = Counter(sample.status for sample in samples)
    return {_status(status): counted[status] for status in sorted(counted)}


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as a JSON object."""
    total = len(outcome.samples)
    return {
        "idp": outcome.idp,
        "url": outcome.url,
        "seed": outcome.seed,
        "users": outcome.users,
        "groups": outcome.groups,
        "seconds": round(outcome.seconds, 2),
        "requests": total,
        "requests_per_second": round(total / outcome.seconds, 1) if outcome.seconds else 0.0,
        "retries": outcome.retries,
        "statuses": statuses(outcome.samples),
        "latency_ms": latency(outcome.samples),
        "kinds": {
            kind: {
                "requests": len(samples),
                "statuses": statuses(samples),
                "latency_ms": latency(samples),
            }
            for kind, samples in by_kind(outcome.samples).items()
        },
        "mismatch_count": len(outcome.mismatches),
        "mismatches": [vars(mismatch) for mismatch in outcome.mismatches],
        "error": outcome.error,
    }


def show(outcome: Outcome, console: Console, errors: Console) -> None:
    """Print the tables, then one line that says whether all is well."""
    if outcome.samples:
        console.print(_requests(outcome))
    if outcome.mismatches:
        console.print(_mismatches(outcome.mismatches))
    rate = len(outcome.samples) / outcome.seconds if outcome.seconds else 0
    console.print(
        f"{outcome.idp}: {len(outcome.samples)} requests in {outcome.seconds:.1f} s "
        f"({rate:.0f}/s), {outcome.retries} retries, seed {outcome.seed}",
        highlight=False,
        markup=False,
    )
    count = len(outcome.mismatches)
    if outcome.error:
        errors.print(f"[red]Stopped:[/red] {escape(outcome.error)}", highlight=False)
    style = "red" if count else "green"
    if count or not outcome.error:
        console.print(f"[{style}]{count} mismatches[/{style}]", highlight=False)


def _requests(outcome: Outcome) -> Table:
    table = Table(title="Requests by kind (ms)", title_justify="left")
    table.add_column("kind")
    for name in ("count", *QUANTILES):
        table.add_column(name, justify="right")
    table.add_column("statuses")
    for kind, samples in by_kind(outcome.samples).items():
        table.add_row(kind, *_cells(samples))
    table.add_section()
    table.add_row("all", *_cells(outcome.samples))
    return table


def _cells(samples: list[Sample]) -> list[str]:
    counts = ", ".join(f"{status}: {count}" for status, count in statuses(samples).items())
    return [str(len(samples)), *(f"{ms:.1f}" for ms in latency(samples).values()), counts]


def _mismatches(mismatches: list[Mismatch]) -> Table:
    table = Table(title=f"First {min(SHOWN, len(mismatches))} of {len(mismatches)} mismatches")
    for name in ("resource", "attribute", "sent", "read"):
        table.add_column(name, overflow="fold")
    for mismatch in mismatches[:SHOWN]:
        table.add_row(*(escape(value) for value in vars(mismatch).values()))
    return table


def _status(status: int) -> str:
    return "no answer" if status == NO_ANSWER else str(status)
