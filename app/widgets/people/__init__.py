"""Accounts, one's own and others', the audit trail, and how long what is kept."""
