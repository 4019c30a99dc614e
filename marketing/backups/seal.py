"""Files of a backup, encrypted piece by piece: AES-256-GCM under a key of the file's own.

A file is MAGIC, 16 bytes of salt, and pieces of PIECE bytes, each with its 16 bytes of proof. A piece's nonce is its
number and whether it is the last one, so none can be moved, repeated or left out; the key hangs on the file's name.
"""

import base64
import os
import shutil
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from marketing.backups.errors import BackupError

MAGIC = b"RSB1"
SALT = 16
PIECE = 1024 * 1024
PROOF = 16


def parse_key(text: str) -> bytes:
    """Empty for none."""
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        key = b"?"
    if len(key) not in {0, 32}:
        raise BackupError("BACKUP_KEY must be 32 bytes in base64.")
    return key


def seal(source: IO[bytes], target: IO[bytes], key: bytes, name: str) -> None:
    """Encrypt all of `source`; without a key it is only copied."""
    if not key:
        shutil.copyfileobj(source, target, PIECE)
        return
    salt = os.urandom(SALT)
    cipher = _cipher(key, salt, name)
    target.write(MAGIC + salt)
    number, piece = 0, _read(source, PIECE)
    while True:
        following = _read(source, PIECE)
        target.write(cipher.encrypt(_nonce(number, is_last=not following), piece, None))
        if not following:
            return
        number, piece = number + 1, following


def unseal(source: IO[bytes], target: IO[bytes], key: bytes, name: str) -> None:
    """Raises BackupError where the key is another one, or anything was changed, moved or cut off."""
    if not key:
        shutil.copyfileobj(source, target, PIECE)
        return
    if source.read(len(MAGIC)) != MAGIC:
        raise BackupError(f"{name} is not encrypted as a backup is.")
    cipher = _cipher(key, source.read(SALT), name)
    number, piece = 0, _read(source, PIECE + PROOF)
    while True:
        following = _read(source, PIECE + PROOF)
        try:
            target.write(cipher.decrypt(_nonce(number, is_last=not following), piece, None))
        except InvalidTag:
            raise BackupError(f"{name} cannot be decrypted: another BACKUP_KEY made it, or it was changed.") from None
        if not following:
            return
        number, piece = number + 1, following


def _cipher(key: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"rostrum backup " + name.encode()).derive(key))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11) + bytes([is_last])


def _read(source: IO[bytes], size: int) -> bytes:
    """So many bytes, or what is left: a pipe gives less at a time."""
    found = bytearray()
    while len(found) < size and (more := source.read(size - len(found))):
        found += more
    return bytes(found)
