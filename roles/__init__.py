"""What each role of worker.py is put together of: a file a role, and what they share."""
