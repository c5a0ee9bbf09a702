"""`python -m bench.trail_sql JSON`: how long PostgreSQL takes for pages of the trail.

JSON is {name: query of the page}; printed is {name: {"page": ms, "count": ms}}, medians of the
server's own execution times, without planning or fetching.
"""

import json
import os
import statistics
import sys
from typing import Any

import django

TIMES = 5


def main() -> None:
    """Explain each query's page and count."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection
    from django.http import QueryDict
    from django.test.utils import CaptureQueriesContext

    from audit import grouping, queries
    from audit.forms import FilterForm

    def explained(sqls: list[str]) -> float:
        total = 0.0
        with connection.cursor() as cursor:
            for sql in sqls:
                if not sql.startswith("SELECT"):
                    continue
                times = []
                for _ in range(TIMES):
                    cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + sql)
                    (plan,) = cursor.fetchone()
                    plan = json.loads(plan) if isinstance(plan, str) else plan
                    times.append(plan[0]["Execution Time"])
                total += statistics.median(times)
        return total

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    found: dict[str, Any] = {}
    for name, query in json.loads(sys.argv[1]).items():
        asked = QueryDict(query)
        filters = FilterForm(asked).filters()
        with CaptureQueriesContext(connection) as counting:
            counted = queries.count(filters)
        with CaptureQueriesContext(connection) as paging:
            ask = grouping.page if asked.get("view") == "grouped" else queries.page
            ask(filters, asked.get("cursor", ""), counted=counted)
        found[name] = {
            "page": round(explained([q["sql"] for q in paging.captured_queries]), 3),
            "count": round(explained([q["sql"] for q in counting.captured_queries]), 3),
        }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
