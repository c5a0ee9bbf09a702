"""What is asked every few seconds, or on every page, meets an index however many jobs were done."""

from typing import Any

import pytest
from django.db import connection

from audit.jobs import running, standing
from audit.models import Job

DONE = 5_000


@pytest.fixture
def many(db: None) -> None:
    """Many jobs that were done, and one that waits for a worker of another queue."""
    now = "2026-01-01T00:00Z"
    Job.objects.bulk_create(
        [Job(kind="done", state="done", finished_at=now) for _ in range(DONE)], batch_size=500
    )
    Job.objects.create(kind="test.see", queue="exports")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda: running.claim("default"), id="an idle look"),
        pytest.param(lambda: running.claim("exports"), id="a claim"),
        pytest.param(standing.attention, id="the banner"),
        pytest.param(lambda: standing.queues({}), id="the queues"),
        pytest.param(standing.running, id="the running jobs"),
        pytest.param(lambda: standing.failures(""), id="the failures"),
        pytest.param(standing.failure_count, id="the number of failures"),
    ],
)
def test_no_question_reads_the_jobs_that_were_done(many: None, ask: Any) -> None:
    asked = []

    def note(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE")):
            asked.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        ask()
    assert asked
    for (
        sql,
        values,
    ) in asked:  # with its parameters: SQLite plans words otherwise
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"EXPLAIN {sql}", values)
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on audit_job" not in plan, plan
            else:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                plan = "\n".join(row[3] for row in cursor.fetchall())
                scans = [line for line in plan.splitlines() if "SCAN audit_job" in line]
                assert all("INDEX job_" in line for line in scans), plan
