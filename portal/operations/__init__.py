"""Every write of the portal's own rows: one function, one transaction, one event."""
