"""Is a GIF all there? Its blocks tell, walked one after another as GIF89a lays them out."""

import re

EXTENSION, IMAGE, TRAILER = b"!,;"
HEADER_BYTES = 13
BLOCK = re.compile(b"[!,;]")


def is_complete(data: bytes) -> bool:
    """Whether the blocks lead to the trailer. What some tools append after it does not matter."""
    try:
        at = HEADER_BYTES + _table_bytes(data[10])
        while data[at] != TRAILER:
            at = _next_block(data, at)
    except IndexError:
        return False
    return True


def _next_block(data: bytes, at: int) -> int:
    if data[at] == EXTENSION:
        return _after_sub_blocks(data, at + 2)
    if data[at] == IMAGE:
        # Place, size and flags; then a colour table, and the width of the first code.
        return _after_sub_blocks(data, at + 10 + _table_bytes(data[at + 9]) + 1)
    # Decoders pass over stray bytes between blocks.
    found = BLOCK.search(data, at)
    return found.start() if found else len(data)


def _after_sub_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


def _table_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
