"""What the trail does of its own accord: each operation is one transaction and its event."""
