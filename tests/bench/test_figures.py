"""Percentiles, ratios, growth, and what counts as a change since another result."""

import pytest

from bench.figures import changes, growth, percentile, ratio


def figure(measure, subject, cpu_ms, size=1_000, connections=4):
    return {
        "measure": measure, "subject": subject, "size": size, "connections": connections,
        "cpu_ms": cpu_ms,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [
        ([], 50, 0.0),
        ([7.0], 99, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 11)], 99, 10.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, percent, wanted):
    assert percentile(values, percent) == wanted


def test_a_ratio_compares_subjects_at_the_same_size_and_connections():
    alta = figure("post", "alta", 2.0)
    others = [
        figure("post", "vanilla", 90.0, size=10_000),
        figure("post", "vanilla", 80.0, connections=8),
        figure("post", "vanilla", 12.0),
    ]
    assert ratio(others, alta, "vanilla") == 6.0
    assert ratio(others, alta, "floor") is None


def test_growth_is_the_largest_size_against_the_smallest():
    grown = [figure("probe", "alta", 1.5, size=10**6), figure("probe", "alta", 1.0)]
    assert growth(grown, "probe") == 1.5
    assert growth(grown[:1], "probe") is None
    assert growth(grown, "probe", "vanilla") is None


def test_a_change_counts_in_floors_because_machines_differ():
    before = [figure("post", "floor", 1.0), figure("post", "alta", 2.0)]
    same_on_a_slow_machine = [figure("post", "floor", 2.0), figure("post", "alta", 4.1)]
    assert changes(before, same_on_a_slow_machine) == []
    worse = [figure("post", "floor", 1.0), figure("post", "alta", 3.0)]
    ((changed, factor),) = changes(before, worse)
    assert changed["subject"] == "alta"
    assert factor == pytest.approx(1.5)
    assert changes([], worse) == []
