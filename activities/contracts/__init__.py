"""Nouns: what travels between the rooms; pydantic and the standard library only."""
