"""Load made events, or made users, groups and members, into the database of DATABASE_URL."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import django
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def main() -> None:
    """Read the command line, then load."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="other rows for another number (1)")
    what = parser.add_subparsers(dest="what", required=True)
    events = what.add_parser("events", help="the audit trail; before its first seal")
    events.add_argument("--count", type=int, default=10_000_000, help="events (10,000,000)")
    events.add_argument("--months", type=int, default=24, help="months, the last one runs (24)")
    events.add_argument("--users", type=int, default=100_000, help="users they tell of (100,000)")
    events.add_argument("--groups", type=int, default=1_000, help="groups they tell of (1,000)")
    events.add_argument("--no-seals", action="store_true", help="leave the sealing to the worker")
    directory = what.add_parser("directory", help="users, and groups of the first of them")
    directory.add_argument("--users", type=int, default=1_000_000, help="users (1,000,000)")
    directory.add_argument(
        "--members", type=int, nargs="*", default=[100, 10_000, 50_000], metavar="N",
        help="a group with so many members, for each number (100 10000 50000)",
    )  # fmt: skip
    directory.add_argument("--first", type=int, default=0, help="leave out users before this (0)")
    directory.add_argument("--first-group", type=int, default=0, help="the first group's number")
    directory.add_argument("--provider", default="entra-id", help="whose they are (entra-id)")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    logging.getLogger("alta").setLevel(logging.WARNING)  # not a line a seal
    {"events": load_events, "directory": load_directory}[options.what](options)


def load_events(options: argparse.Namespace) -> None:
    """Load events, count their hours, seal them."""
    from audit import counters
    from audit.evidence import sealing
    from audit.models import Seal
    from bench.load import copying, trail
    from bench.load.events import Plan

    plan = Plan(
        events=options.count,
        until=datetime.now(UTC),
        months=options.months,
        users=options.users,
        groups=options.groups,
        seed=options.seed,
    )
    with _bar() as bar:
        step(bar, "events", plan.events, lambda told: trail.load(plan, told))
        copying.without_limits()
        step(bar, "hours counted", None, lambda told: told(counters.count_hours()))
        if options.no_seals:
            return

        def seal(told: Callable[[int], None]) -> None:
            while sealing.seal_all(1):
                newest = Seal.objects.order_by("-number").values_list("total", flat=True).first()
                told(newest or 0)

        step(bar, "sealed", plan.events, seal)


def load_directory(options: argparse.Namespace) -> None:
    """Load users, then groups that hold the first of them."""
    from bench.load import directory
    from provisioning.models import Provider

    provider = Provider.objects.get(key=options.provider)
    with _bar() as bar:
        first, end = options.first, options.users
        if end > first:
            step(
                bar, "users", end - first,
                lambda told: directory.load_users(provider, first, end, told),
            )  # fmt: skip
        else:
            directory.ensure_attributes()
        for number, size in enumerate(options.members, options.first_group):

            def fill(told: Callable[[int], None], number: int = number, size: int = size) -> None:
                directory.load_group(provider, number, size, told)

            step(bar, "members", size, fill)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description:<16}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def step(
    bar: Progress, name: str, total: int | None, work: Callable[[Callable[[int], None]], object]
) -> None:
    """Do a part of the work under a bar of its own; print how long it took and how fast it was."""
    task, start, reached = bar.add_task(name, total=total, speed=""), time.monotonic(), 0

    def told(count: int) -> None:
        nonlocal reached
        reached = count
        speed = count / (time.monotonic() - start)
        bar.update(task, completed=count, speed=f"{speed:,.0f}/s")

    work(told)
    seconds = time.monotonic() - start
    bar.update(task, completed=reached, total=reached)
    sys.stdout.write(f"{name}: {reached:,} in {seconds:.1f} s, {reached / seconds:,.0f} a second\n")


if __name__ == "__main__":
    main()
