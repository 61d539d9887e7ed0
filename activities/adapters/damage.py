"""What a tool did to a file that it should only have edited: pure, its bytes before and after."""

from collections.abc import Iterator

REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


def damage_of(before: bytes, after: bytes, may_flip: bool = False) -> Iterator[str]:
    """What a tool broke that it should only have edited, file against file. `may_flip`: line ends
    may be others."""
    if not after:
        yield from ["truncated to nothing"] if before else []
        return
    ends = _line_ends(before), _line_ends(after)
    if set(ends) == {"LF", "CRLF"} and not may_flip:
        yield f"line ends flipped from {ends[0]} to {ends[1]}"
    was_binary, is_binary = b"\0" in before[:8000], b"\0" in after[:8000]
    if was_binary != is_binary or (b"\0" in after and b"\0" not in before):
        yield "binary file became text" if was_binary else "text now contains NUL"
    was_text, is_text = _is_utf8(before), _is_utf8(after)
    if (
        not was_text
        and after.count(REPLACEMENT) > before.count(REPLACEMENT)
        and (is_text or not was_binary)
    ):
        yield "bytes were replaced by U+FFFD"
    elif not was_binary and not is_binary and was_text != is_text and not after.isascii():
        yield "encoding changed " + ("to UTF-8" if is_text else "from UTF-8")


def _line_ends(content: bytes) -> str:
    if b"\0" in content[:8000]:
        return ""
    crlf = content.count(b"\r\n")
    lf = content.count(b"\n") - crlf
    return "CRLF" if crlf > lf else "LF" if lf > crlf else ""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
