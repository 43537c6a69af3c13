"""Thresholds, audits, alarms with what follows from them, and the facts that analytics read."""
