"""Every write: one function is one transaction that changes rows and records one event."""
