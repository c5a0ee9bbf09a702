"""The provisioning log: one row a SCIM request, written behind the answer, told in words.

What it does not hold: requests without a valid token. Anybody can send those, so that a row each
would let anybody fill the table; the audit trail counts them by address and minute
(`operations.access`).
"""
