"""What is read from /proc, from texts as the kernel writes them and from a process of our own."""

import os
import subprocess
import sys

from bench import processes
from bench.processes import parse_busy, parse_memory, parse_stat

STAT = (
    "4242 (a (strange) name) S 17 4242 4242 0 -1 4194304 2151 0 0 0 300 40 7 5 20 0 3 0 871 "
    "225259520 7708 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0\n"
)


def test_a_process_counts_its_own_time_and_that_of_children_it_waited_for():
    stat = parse_stat(STAT)
    assert (stat.pid, stat.parent, stat.ticks) == (4242, 17, 300 + 40 + 7 + 5)


def test_memory_that_processes_share_counts_once():
    assert parse_memory("55e0-7ffd ---p 0 0 [rollup]\nRss: 900 kB\nPss:  412 kB\n") == 412
    assert parse_memory("") == 0


def test_a_machine_that_idles_or_waits_for_a_disk_is_not_busy():
    assert parse_busy("cpu  10 2 30 5000 600 4 5 7 0 0\ncpu0 1 1 1 1 1 1 1\n") == 51


def test_a_tree_has_the_process_its_children_and_what_they_hold():
    child = subprocess.Popen(
        [sys.executable, "-c", "input(sum(range(10**7)))"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        child.stdout.read(1)  # it has counted
        assert {os.getpid(), child.pid} <= {stat.pid for stat in processes.tree(os.getpid())}
        assert processes.cpu_ms(child.pid) > 0
        assert 0 < processes.memory_mib(child.pid) <= processes.rss_mib(child.pid)
        assert processes.busy_ms() > processes.cpu_ms(child.pid)
    finally:
        child.communicate(b"\n")
