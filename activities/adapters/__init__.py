"""The outside world: git, sandbox, processes, files; nothing here knows Temporal."""
