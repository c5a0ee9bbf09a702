"""Jobs whose effects can be counted: rows of a table without a key, which nothing keeps single."""

import time
from typing import Any

from django.db import connection

from audit.jobs.registry import handles

TABLE = "survival_effect"
LEASE_S = 10  # shorter than the usual one, to spare the test its end


@handles("survival.row", lease_s=LEASE_S)
@handles("survival.export", queue="exports", lease_s=LEASE_S)
def write_row(payload: dict[str, Any], job: Any) -> None:
    """Write a row, and give a kill the time to come before the commit."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (n) VALUES (%s)", [payload["n"]])
    time.sleep(0.004)
