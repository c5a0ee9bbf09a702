"""Tamper evidence: seals over the events, their chain, and what verifies them (docs/audit.md)."""
