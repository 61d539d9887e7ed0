"""The verbs behind starter.py: connecting, asking, telling, and how answers look."""
