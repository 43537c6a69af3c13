"""What keeps a plant sound: backups, retention, seals of the audit trail, doctor."""
