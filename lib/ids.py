import os
import time
import uuid


def uuid7() -> uuid.UUID:
    """RFC 9562 version 7: sorts by creation time, so that inserts land at the end of the index."""
    value = int.from_bytes(os.urandom(10)) | (time.time_ns() // 1_000_000) << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)
