"""Frozen values with no I/O: what the cockpit knows and says."""
