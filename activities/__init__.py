"""Effects: one verb each, idempotent and thin; they get their adapters from roles/."""
