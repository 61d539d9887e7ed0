"""Paired measurements of what Whimbrel costs; README.md says what each figure means."""
