"""Texts that have to fit: what is left out is said there."""

LEFT_OUT = "\n[the rest does not fit]\n"


def bounded(text: str, most: int) -> str:
    """The beginning, in so many bytes."""
    if size(text) <= most:
        return text
    return text.encode()[: most - len(LEFT_OUT)].decode(errors="ignore") + LEFT_OUT


def size(text: str) -> int:
    """Bytes."""
    return len(text.encode())
