"""How calls reach Telegram: python-telegram-bot on one event loop per process, for code that blocks."""

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any, TypeVar

import httpx
from django.conf import settings
from telegram import Bot, InputFile
from telegram.request import HTTPXRequest

from lib.http import CONNECT_TIMEOUT_S
from social.networks.port import Failure, NetworkError, OutgoingMedia
from social.networks.telegram.errors import FILE_CHANGED, UploadBroken, from_exception

# A hundred updates, each a long message that answers another.
MAX_BYTES = 20 * 1024 * 1024
# The loop ends a call itself; this is for a loop that cannot.
GRACE_S = 5
T = TypeVar("T")
NAMES = {"image": "photo.jpg", "gif": "animation.gif", "video": "video.mp4"}


def call(token: str, method: str, *, timeout_s: float | None = None, is_write: bool = True, **params: Any) -> Any:
    """Telegram's `result`, as it came. Parameters that are None or empty are left out. Raises NetworkError."""
    timeout_s = settings.TELEGRAM_TIMEOUT_S if timeout_s is None else timeout_s
    given = {name: value for name, value in params.items() if value not in (None, "", [], {}, ())}
    try:
        return run(_Caller.of(token).call(method, given, timeout_s), timeout_s)
    # The library lets through whatever its parser of answers meets.
    except Exception as error:
        raise from_exception(error, is_write=is_write) from error


def run(work: Coroutine[Any, Any, T], timeout_s: float) -> T:
    """Wait for it here while it runs on the loop of this process; TimeoutError when that takes too long."""
    return _line.run(asyncio.wait_for(work, timeout_s), timeout_s)


class _Caller(Bot):
    """A bot that takes methods by their names in Telegram's documentation and asks nothing by itself."""

    __slots__ = ()

    @classmethod
    def of(cls, token: str) -> "_Caller":
        base = settings.TELEGRAM_API_BASE_URL
        # The address holds the token, so all bots share the connections.
        return cls(token, f"{base}/bot", f"{base}/file/bot", _line.request, _line.request)

    async def call(self, method: str, params: dict[str, Any], timeout_s: float) -> Any:
        # Shorter than the deadline: a call that never got through must be known as such.
        connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 3)
        return await self._do_post(method, params, connect_timeout=connect_s, pool_timeout=connect_s)

    def __repr__(self) -> str:
        return "<bot>"


class _Line:
    """The loop and the connections of this process, opened with the first call."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a fork: the loop's thread stayed with the parent."""
        self.lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._request: HTTPXRequest | None = None

    @property
    def request(self) -> HTTPXRequest:
        with self.lock:
            if self._request is None:
                transport = _LimitedTransport(limits=httpx.Limits(max_connections=64), trust_env=False)
                # Waiting ends with the whole call, see `_Caller.call`.
                self._request = HTTPXRequest(
                    read_timeout=None,
                    write_timeout=None,
                    media_write_timeout=None,
                    httpx_kwargs={"transport": transport, "trust_env": False},
                )
            return self._request

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._open())
        try:
            return future.result(timeout_s + GRACE_S)
        except BaseException:
            # Also when the worker is told to stop: nobody waits for this answer any more.
            future.cancel()
            raise

    def _open(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True).start()
            return self._loop


_line = _Line()
os.register_at_fork(after_in_child=_line.forget)


class _LimitedTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _LimitedStream(response.stream)
        return response


class _LimitedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_BYTES
        async for chunk in self.stream:
            left -= len(chunk)
            if left < 0:
                raise httpx.ReadError(f"more than {MAX_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self.stream.aclose()


# --- files --------------------------------------------------------------------------------------------------


def input_file(media: OutgoingMedia) -> InputFile:
    """Read while it is sent, chunk by chunk. The name says nothing of ours: Telegram shows it to readers."""
    try:
        file: Any = _SizedFile(media)
    except OSError as error:
        message = "A file could not be read from the storage."
        raise NetworkError(Failure.TEMPORARY, "file_unreadable", message, raw=str(error)) from error
    return InputFile(file, filename=NAMES[media.kind], read_file_handle=False)


def close_files(params: Mapping[str, Any]) -> None:
    for value in params.values():
        if isinstance(value, InputFile) and isinstance(value.input_file_content, _SizedFile):
            value.input_file_content.close()


class _SizedFile(io.RawIOBase):
    """Tells its length beforehand, as storages and wrappers often cannot."""

    def __init__(self, media: OutgoingMedia) -> None:
        self.file, self.size, self.at = media.open(), media.size_bytes, 0
        self.left = media.size_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Only to ask for the length and to begin: the bytes are read once."""
        self.at = self.size if whence == os.SEEK_END else offset
        return self.at

    def read(self, size: int = -1) -> bytes:
        try:
            chunk = self.file.read(size)
        except Exception as error:
            raise UploadBroken(error) from error
        self.left -= len(chunk)
        # Before the last byte of the request, so that it never becomes a whole one.
        if self.left < 0 or (self.left and not chunk):
            raise UploadBroken(NetworkError(*FILE_CHANGED))
        return chunk

    def close(self) -> None:
        self.file.close()
        super().close()
