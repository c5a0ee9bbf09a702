"""How fast Alta is, beside what it is compared with (README.md here says how to read it)."""
