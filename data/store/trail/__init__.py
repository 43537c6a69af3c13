"""The audit trail, its seals, and how long what is kept."""
