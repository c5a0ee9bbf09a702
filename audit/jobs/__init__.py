"""Jobs that survive: rows written with a change, run by workers, woken by messages."""
