"""The table, the plots and the warning that others used the machine."""

import json
import subprocess
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from bench import plots, report


def made(**changed):
    figure = {
        "measure": "probe", "subject": "alta", "size": 1_000, "connections": 4, "cpu_ms": 1.0,
        "server_ms": 0.7, "database_ms": 0.3, "requests": 900, "rps": 300.0, "p50_ms": 3.0,
        "p99_ms": 9.0, "client_ms": 0.05, "others": 0.01, "memory_mib": 150.0, "runs": [1.0],
    }  # fmt: skip
    return figure | changed


def document(*figures, **facts):
    return {
        "machine": {
            "when": "2026-01-01T00:00+00:00", "commit": "abc", "cores": 2, "processor": "P",
            "memory_gib": 8, "kernel": "6", "python": "3.11", "postgresql": "15",
        },
        "sizes": {"runs": 3, "seconds": 3.0, "connections": 4},
        "facts": facts,
        "figures": list(figures),
    }  # fmt: skip


GROWN = (
    made(),
    made(size=1_000_000, cpu_ms=1.5),
    made(subject="vanilla", cpu_ms=4.0),
    made(subject="vanilla", size=1_000_000, cpu_ms=407.0),
)


def test_a_row_says_what_it_costs_against_the_bar_and_the_vanilla_project():
    text = report.table(document(*GROWN))
    first, last = (line for line in text.splitlines() if "**" in line)
    assert "| 1,000 | **1.00** | 0.70 + 0.30 |" in first
    assert "| 4.0 |" in first
    assert "✓ 1.1" in first
    assert "✗ 0.7" in first
    assert "| 271.3 |" in last
    assert "✗ 1.1" in last


def test_growth_is_told_and_held_against_its_bar():
    text = report.table(document(*GROWN))
    assert "| alta | 1.50 | ✗ 1.2 |" in text
    assert "| vanilla | 101.75 |  |" in text


def test_a_busy_machine_is_told():
    assert "Others used" not in report.table(document(made()))
    assert "Others used up to 40%" in report.table(document(made(others=0.4)))


def test_facts_are_told_with_their_bars():
    text = report.table(
        document(
            made(measure="post", connections=1, rps=100.0),
            made(measure="post", connections=8, rps=190.0),
            memory_mib={"alta": {"pss": 190, "rss": 260}},
            parts_of_post=[
                {
                    "title": "the log",
                    "with_ms": 2.0,
                    "cost_ms": 0.2,
                    "server_ms": 0.15,
                    "database_ms": 0.05,
                }
            ],
            trail={"events": 10, "rows": [{"title": "newest page", "told": "5 ms"}]},
            took_s=125,
        )
    )
    assert "| alta | 190 | 260 | ✓ 200 | ✗ 170 |" in text
    assert "1.90 × the requests a second (✓ 1.8)" in text
    assert "| the log | **0.200** | 0.150 + 0.050 | 10% |" in text
    assert "| newest page | 5 ms |" in text
    assert "2 min 5 s" in text


def test_a_kept_result_is_compared_with_the_committed_one(tmp_path):
    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    report.keep(document(*GROWN), "full", tmp_path)
    assert report.committed(tmp_path / "full.json") is None
    git("add", ".")
    git("commit", "-m", "results")
    text = report.keep(document(made(cpu_ms=2.0)), "full", tmp_path)
    assert "- probe at 1,000: × 2.00" in text
    assert (tmp_path / "full.md").read_text() == text
    assert json.loads((tmp_path / "full.json").read_text())["figures"][0]["cpu_ms"] == 2.0
    assert (tmp_path / "full-probe.svg").exists()


@pytest.mark.parametrize(
    "lines",
    [
        {"alta": [(1_000, 1.0), (1_000_000, 1.1)], "vanilla": [(1_000, 4.4), (1_000_000, 407)]},
        {"alta": [(100, 1.0), (50_000, 1.0)]},
        {f"<{n}>": [(1_000, 1 + n / 100), (10_000, 1 + n / 100)] for n in range(6)},
    ],
)
def test_a_plot_is_an_svg_whose_points_and_labels_lie_inside_it(lines):
    root = ElementTree.fromstring(plots.growth("Probe & page", "users", lines))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{svg}polyline")) == len(lines)
    for circle in root.iter(f"{svg}circle"):
        assert plots.LEFT <= float(circle.get("cx")) <= plots.WIDTH - plots.RIGHT + 0.1
        assert plots.TOP - 0.1 <= float(circle.get("cy")) <= plots.HEIGHT - plots.BOTTOM + 0.1
    labels = [t for t in root.iter(f"{svg}text") if t.get("fill")]
    heights = sorted(float(label.get("y")) for label in labels)
    assert all(b - a >= 14 for a, b in pairwise(heights))
    assert {label.text.rpartition(" ")[0] for label in labels} == set(lines)
