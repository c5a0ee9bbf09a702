"""SQL functions by which a role that may only append removes and makes months of the trail.

They run with the rights of the tables' owner, so they trust nothing: the month that is asked, the
caller's transaction and the search path are checked or fixed (PostgreSQL's manual, «Writing
SECURITY DEFINER Functions Safely»). How many months must stay is the owner's word, in a table that
the other role cannot write.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.append_only import POSTGRESQL_TRUNCATE
from audit.retention import LEAST_MONTHS, TYPE

KEEPING = """
CREATE TABLE IF NOT EXISTS audit_keeping (months integer NOT NULL);
INSERT INTO audit_keeping SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM audit_keeping);
"""
DROP = """
CREATE OR REPLACE FUNCTION audit_drop_month(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    part regclass := to_regclass('audit_event_' || to_char(month, 'YYYY_MM'));
    starts_at timestamptz := month::timestamp AT TIME ZONE 'UTC';
    ends_at timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    told bigint;
    held bigint;
    open bigint;
    newest audit_seal%ROWTYPE;
BEGIN
    IF month <> date_trunc('month', month)::date
       OR (SELECT max(months) FROM audit_keeping) = 0
       OR month + make_interval(
              months => 1 + greatest({months}, (SELECT max(months) FROM audit_keeping)))
          > statement_timestamp() AT TIME ZONE 'UTC' THEN
        RAISE EXCEPTION 'this month of the audit trail may not be removed yet'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM pg_inherits WHERE inhrelid = part AND inhparent = 'audit_event'::regclass
    ) THEN
        part := 'audit_event_other'::regclass;  -- nobody made the month's partition in time
    END IF;
    -- No event, no removal: the caller's transaction must have recorded it, with the true count.
    SELECT (details ->> 'events')::bigint INTO told FROM audit_event
    WHERE transaction_id = pg_current_xact_id()::text::bigint AND type = '{type}'
      AND details ->> 'month' = to_char(month, 'YYYY-MM');
    EXECUTE format(
        'SELECT count(*) FROM %s WHERE performed_at >= $1 AND performed_at < $2', part
    ) INTO held USING starts_at, ends_at;
    IF held = 0 AND part = 'audit_event_other'::regclass THEN
        RAISE EXCEPTION 'this month of the audit trail is no partition and has no events'
            USING ERRCODE = 'undefined_table';
    END IF;
    IF told IS DISTINCT FROM held THEN
        RAISE EXCEPTION 'no event of this transaction records the removal of % events', held
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO newest FROM audit_seal ORDER BY number DESC LIMIT 1;
    EXECUTE format(
        'SELECT count(*) FROM %s WHERE NOT coalesce(CASE WHEN $1 = {no_end} '
        'THEN id <= $2 OR transaction_id < $3 ELSE id <= $1 END, false) '
        'AND performed_at >= $4 AND performed_at < $5', part
    ) INTO open USING newest.upto_id, newest.after_id, newest.hi, starts_at, ends_at;
    IF open > 0 THEN
        RAISE EXCEPTION '% events of this month are not sealed', open
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF part = 'audit_event_other'::regclass THEN
        ALTER TABLE audit_event_other DISABLE TRIGGER audit_event_rows;
        DELETE FROM audit_event_other WHERE performed_at >= starts_at AND performed_at < ends_at;
        ALTER TABLE audit_event_other ENABLE ALWAYS TRIGGER audit_event_rows;
    ELSE
        EXECUTE format('DROP TABLE %s', part);
    END IF;
    RETURN held;
END $$;
REVOKE ALL ON FUNCTION audit_drop_month(date) FROM PUBLIC;
"""
MAKE = """
CREATE OR REPLACE FUNCTION audit_make_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
    name text := 'audit_event_' || to_char(month, 'YYYY_MM');
    this_month date := date_trunc('month', statement_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
    IF month <> date_trunc('month', month)::date
       OR month < this_month - interval '1 month' OR month > this_month + interval '25 months' THEN
        RAISE EXCEPTION 'a partition is made for a month that is near'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF audit_event FOR VALUES FROM (%L) TO (%L)', name,
        to_char(month, 'YYYY-MM-DD') || 'T00:00:00Z',
        to_char(month + interval '1 month', 'YYYY-MM-DD') || 'T00:00:00Z'
    );
    {truncate}
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;  -- the default partition has events of that month already: they stay there
END $$;
REVOKE ALL ON FUNCTION audit_make_month(date) FROM PUBLIC;
"""
NO_END = 2**63 - 1


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the functions; only PostgreSQL has them."""
    if connection.vendor != "postgresql":
        return
    truncate = "\n".join(
        f"EXECUTE format({statement.strip()!r}, name);"
        for statement in POSTGRESQL_TRUNCATE.replace("\n", " ").format(table="%I").split(";")
        if statement.strip()
    )
    with connection.cursor() as cursor:
        cursor.execute(KEEPING)
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
        drop = DROP.replace("{schema}", schema).replace("{months}", str(LEAST_MONTHS))
        cursor.execute(drop.replace("{type}", TYPE).replace("{no_end}", str(NO_END)))
        cursor.execute(MAKE.replace("{schema}", schema).replace("{truncate}", truncate))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the functions."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS audit_drop_month(date), audit_make_month(date)")
            cursor.execute("DROP TABLE IF EXISTS audit_keeping")


def keep(connection: BaseDatabaseWrapper, months: int) -> None:
    """Tell the database how many months must stay, if this role may; 0 is for ever."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('audit_keeping', 'UPDATE')")
        if cursor.fetchone()[0]:
            cursor.execute("UPDATE audit_keeping SET months = %s WHERE months <> %s", [months] * 2)
