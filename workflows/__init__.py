"""Decisions: deterministic workflow code, no I/O and no clock of its own."""
