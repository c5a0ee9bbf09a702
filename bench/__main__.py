"""`bin/bench`: run the table, print it, keep it beside plots, compare it with the last one."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from bench import report
from bench.cluster import Missing
from bench.measures import BY_KEY
from bench.measuring import Effort
from bench.running import Bench, Sizes

MOST_LEFT = "the folder of this run was kept: {}"


def main() -> None:
    """Read the command line, run, report."""
    options = arguments()
    quick = options.quick
    sizes = Sizes(
        users=options.users or ([1_000, 10_000] if quick else [1_000, 10_000, 100_000, 1_000_000]),
        members=options.members or ([100, 10_000] if quick else [100, 10_000, 50_000]),
        events=(20_000 if quick else 10_000_000) if options.events is None else options.events,
    )
    effort = Effort(
        seconds=options.seconds or (1.2 if quick else 3.0),
        runs=options.runs or (1 if quick else 3),
        connections=options.connections,
    )
    folder = Path(tempfile.mkdtemp(prefix="alta-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    console = Console(stderr=True)
    bench = Bench(folder, sizes, effort, options.only, options.subjects, console)
    try:
        result = bench.run()
    except Missing as error:
        sys.exit(f"bin/bench: {error}")
    finally:
        bench.stop()
        if options.keep:
            console.print(MOST_LEFT.format(folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    name = options.name or ("quick" if quick else "full")
    sys.stdout.write(report.keep(result.to_dict(), name, Path(options.output)))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under five minutes")
    parser.add_argument("--users", type=_numbers, metavar="N,N", help="directory sizes")
    parser.add_argument("--members", type=_numbers, metavar="N,N", help="group sizes")
    parser.add_argument("--events", type=int, metavar="N", help="events of the trail; 0 for none")
    parser.add_argument("--seconds", type=float, help="how long a run takes (3; quick: 1.2)")
    parser.add_argument("--runs", type=int, help="runs of which the median counts (3; quick: 1)")
    parser.add_argument("--connections", type=int, default=4, help="connections at once (4)")
    parser.add_argument(
        "--only", type=_names, metavar="KEY,KEY", help=f"of: {', '.join(BY_KEY)}, trail, off, rest"
    )
    parser.add_argument("--subjects", type=_names, metavar="NAME,NAME", help="alta, vanilla, …")
    parser.add_argument("--name", help="name of the result (full, or quick)")
    parser.add_argument("--output", default="bench/results", help="folder of the result")
    parser.add_argument("--keep", action="store_true", help="keep databases and logs")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return sorted(int(part.replace("k", "000").replace("M", "000000")) for part in text.split(","))


def _names(text: str) -> set[str]:
    return set(text.split(","))


if __name__ == "__main__":
    main()
