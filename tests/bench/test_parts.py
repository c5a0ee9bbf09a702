"""What a part costs is told by neighbouring runs, so that a slow moment does not count."""

from bench.measuring import Run, median
from bench.parts import cost


def run(server_ms, database_ms):
    return Run(
        cpu_ms=server_ms + database_ms, server_ms=server_ms, database_ms=database_ms, requests=9,
        rps=1.0, p50_ms=1.0, p99_ms=1.0, client_ms=0.0, others=0.0,
    )  # fmt: skip


def test_a_part_costs_the_median_of_the_differences():
    whole = [run(2.0, 1.0), run(9.0, 4.0), run(2.2, 1.0)]  # the machine was slow at the second
    without = [run(1.5, 0.5), run(8.5, 3.5), run(1.5, 0.5)]
    assert cost(whole, without) == {
        "with_ms": 3.2,
        "cost_ms": 1.0,
        "server_ms": 0.5,
        "database_ms": 0.5,
        "differences": [1.0, 1.0, 1.2],
    }


def test_the_median_run_is_one_that_happened():
    runs = [run(3.0, 0.0), run(1.0, 0.0), run(2.0, 0.0), run(4.0, 0.0)]
    assert median(runs) is runs[2]
