"""The audit trail at its full size: its page, as SQL and through HTTP, and the work over all of it.

A row of ROWS is a query of the page; `work` holds what is timed as a whole. New ones go there.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.client import Talk, drive
from bench.cluster import Cluster
from bench.measuring import WARM_UP_S, Effort, once
from bench.subjects import Alta

PAGE = "/auditoria/"
LINE = re.compile(r"^(\w[\w ]*): ([\d,]+) in ([\d.]+) s", re.MULTILINE)
BAR_MS, GOAL_MS = 50, 25
EXPORTS = ("jsonl", "csv")


@dataclass(frozen=True, slots=True)
class Row:
    """A page of the trail: what it is called, its query, and what the query has to be filled in."""

    key: str
    title: str
    query: str


ROWS = (
    Row("newest", "newest page", ""),
    Row("deep", "a page in the middle", "?cursor={cursor}"),
    Row("grouped", "one row an entity", "?view=grouped"),
    Row("type", "by activity", "?activity=user.deactivated"),
    Row("rare-type", "by a rare activity", "?activity=token.renewed"),
    Row("idp", "by IdP", "?idp=okta"),
    Row("rare-idp", "by IdP and activity", "?idp=google-workspace&activity=user.deleted"),
    Row("target", "one user's history", "?target={target}"),
    Row("actor", "what one token did", "?actor={actor}"),
    Row("text", "text in 30 days", "?q=garcia&period=30d"),
    Row("rare-text", "one person's name in 30 days", "?q={name}&period=30d"),
    Row("days", "a week a year ago", "?since={since}&until={until}"),
)


def measured(
    cluster: Cluster, alta: Alta, events: int, effort: Effort, told: Callable[[str], None]
) -> dict[str, Any]:
    """Load so many events into Alta's own database, measure, and return the facts."""
    told(f"load {events:,} events")
    rows = [
        {"key": name, "title": name, "told": f"{int(count.replace(',', '')) / float(s):,.0f}/s"}
        for name, count, s in LINE.findall(alta.run("bench.load", "events", "--count", str(events)))
    ]
    rows += _verified(alta, events, told)
    rows += _exported(alta, events, told)
    values = _values(cluster, alta)
    alta.start()
    effort = Effort(min(effort.seconds, 2.0), effort.runs, 2)
    database = json.loads(alta.run("bench.trail_sql", json.dumps(_queries(values))))
    for row in ROWS:
        told(f"the trail: {row.title}")
        rows.append(_page(cluster, alta, row, row.query.format(**values), effort, database))
    return {"events": events, "rows": rows, "bar_ms": BAR_MS, "goal_ms": GOAL_MS}


def _queries(values: dict[str, str]) -> dict[str, str]:
    return {row.key: row.query.format(**values).lstrip("?") for row in ROWS}


def _page(
    cluster: Cluster, alta: Alta, row: Row, query: str, effort: Effort, database: dict[str, Any]
) -> dict[str, Any]:
    def speak(connection: int) -> Talk:
        while True:
            yield alta.as_auditor(f"{PAGE}{query}")

    drive(alta.port, speak, effort.connections, WARM_UP_S)
    runs = [once(alta.pid, cluster.pid, alta.port, speak, effort, 0.1) for _ in range(effort.runs)]
    run = sorted(runs, key=lambda one: one.cpu_ms)[len(runs) // 2]
    in_sql = database[row.key]
    mark = "✓" if run.cpu_ms < GOAL_MS else "✓ bar" if run.cpu_ms < BAR_MS else "✗"
    return {
        "key": row.key,
        "title": row.title,
        "cpu_ms": round(run.cpu_ms, 3),
        "p50_ms": round(run.p50_ms, 3),
        "sql_ms": in_sql,
        "told": (
            f"{run.cpu_ms:.1f} ms CPU ({run.server_ms:.1f} + {run.database_ms:.1f}) {mark}, "
            f"p50 {run.p50_ms:.1f} ms; SQL: page {in_sql['page']:.2f} ms, count "
            f"{in_sql['count']:.1f} ms"
        ),
    }


def _verified(alta: Alta, events: int, told: Callable[[str], None]) -> list[dict[str, Any]]:
    """Verify the whole chain, as an auditor does."""
    told("verify every event")
    seconds, peak = alta.watched(alta.folder / "verified", "audit_verify")
    return [_work("verified", events, seconds, peak)]


def _exported(alta: Alta, events: int, told: Callable[[str], None]) -> list[dict[str, Any]]:
    """Write the whole trail to a file, in two formats."""
    rows = []
    for format in EXPORTS:
        told(f"export every event as {format}")
        file = alta.folder / f"export.{format}"
        seconds, peak = alta.watched(file, "audit_export", "--format", format)
        rows.append(_work(f"exported as {format}", events, seconds, peak))
        file.unlink()
    return rows


def _work(name: str, events: int, seconds: float, peak: float) -> dict[str, Any]:
    return {
        "key": name,
        "title": name,
        "seconds": round(seconds, 2),
        "peak_mib": round(peak),
        "told": f"{events / seconds:,.0f}/s, peak {peak:.0f} MiB",
    }


def _values(cluster: Cluster, alta: Alta) -> dict[str, str]:
    """Return what the queries are filled in with: from the middle of the trail."""
    with cluster.connect(alta.database) as connection:

        def one(sql: str) -> Any:
            row = connection.execute(sql).fetchone()
            assert row  # noqa: S101
            return row

        (middle,) = one("SELECT (min(id) + max(id)) / 2 FROM audit_event")
        at, id = one(f"SELECT performed_at, id FROM audit_event WHERE id >= {middle} LIMIT 1")
        (target, name) = one(
            "SELECT target_id, split_part(target_label, '@', 1) FROM audit_event"
            " WHERE type = 'user.deactivated' ORDER BY performed_at DESC LIMIT 1"
        )
        (actor,) = one("SELECT actor_id FROM audit_event WHERE type = 'user.created' LIMIT 1")
        since, until = one("SELECT current_date - 366, current_date - 359")
    return {
        "cursor": cursor(at, id),
        "target": target,
        "name": name,
        "actor": actor,
        "since": f"{since:%Y-%m-%d}",
        "until": f"{until:%Y-%m-%d}",
    }


def cursor(moment: Any, id: int) -> str:
    """Return the cursor of the page older than an event, as audit.keyset writes it."""
    from base64 import urlsafe_b64encode

    micros = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    return urlsafe_b64encode(f"o{micros}.{id}".encode()).decode().rstrip("=")
