"""What processes cost, read from /proc: CPU by tree, memory by tree, what else the machine does."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """A line of /proc/PID/stat: the parent, and the ticks of the process and its dead children."""

    pid: int
    parent: int
    ticks: int


def parse_stat(text: str) -> Stat:
    """Read a line of /proc/PID/stat; the name in it may hold blanks and parentheses."""
    pid, rest = text.split(" (", 1)
    fields = rest[rest.rindex(")") + 2 :].split()
    # utime, stime, cutime, cstime: the last two are those of children that ended and were waited.
    return Stat(int(pid), int(fields[1]), sum(map(int, fields[11:15])))


def parse_memory(text: str) -> int:
    """Read /proc/PID/smaps_rollup: the kB that are a process's share (PSS)."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def parse_busy(text: str) -> int:
    """Read the first line of /proc/stat: the ticks in which the machine did not idle."""
    fields = [int(field) for field in text.splitlines()[0].split()[1:]]
    user, nice, system, _idle, _waiting, irq, soft = fields[:7]
    return user + nice + system + irq + soft


def _all() -> Iterator[Stat]:
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                yield parse_stat((folder / "stat").read_text())
            except (OSError, ValueError):  # it ended meanwhile
                continue


def tree(root: int) -> list[Stat]:
    """Return a process and all its descendants."""
    children: dict[int, list[Stat]] = {}
    found: list[Stat] = []
    for stat in _all():
        children.setdefault(stat.parent, []).append(stat)
        if stat.pid == root:
            found.append(stat)
    for stat in found:
        found += children.get(stat.pid, [])
    return found


def cpu_ms(root: int) -> float:
    """Return the CPU milliseconds, user and system, that a tree has used since it began."""
    return sum(stat.ticks for stat in tree(root)) * 1000 / TICKS_A_SECOND


def memory_mib(root: int) -> float:
    """Return the memory of a tree; pages that processes share count once."""
    total = 0
    for stat in tree(root):
        try:
            total += parse_memory((PROC / str(stat.pid) / "smaps_rollup").read_text())
        except OSError:
            continue
    return total / 1024


def rss_mib(root: int) -> float:
    """Return the resident memory of a tree, as `ps` adds it up: shared pages count each time."""
    pages = 0
    for stat in tree(root):
        try:
            pages += int((PROC / str(stat.pid) / "statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy_ms() -> float:
    """Return the CPU milliseconds that all of the machine has used."""
    return parse_busy((PROC / "stat").read_text()) * 1000 / TICKS_A_SECOND
