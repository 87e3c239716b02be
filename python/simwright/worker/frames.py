"""Frames between a store and its worker, as docs/worker-protocol.md describes them."""

import json
import select
import socket
import struct
import sys
import time
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy

MAGIC = 0x31465753
"""The bytes `SWF1`."""

LOAD, RUN, UNLOAD = 1, 2, 3
READY, LOADED, RAN, FAILED = 64, 65, 66, 67

HEADER = struct.Struct("<IIIIIIQ")
TENSOR = struct.Struct("<IIQ")
ALIGNMENT = 8

DTYPES = ("FLOAT", "DOUBLE", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "BOOL", "STRING")
"""Element types; the code of each in a frame is its position, counted from 1. Code 0 is an output that is no tensor."""

_SCRATCH_BYTES = 256 * 1024
_MOST_BUFFERS = 512
_LONGEST_BUSY_POLL_MICROS = 300


class Tensor(NamedTuple):
    """A tensor as it is in a frame: `data` holds its elements row-major, little-endian."""

    dtype: str
    shape: Tuple[int, ...]
    data: Any
    """Buffer of bytes: a view of the frame on the way in, anything with the buffer protocol on the way out."""


class Frame(NamedTuple):
    """A frame from the store. Its tensors view one buffer, which is used again when nobody views it any more."""

    op: int
    id: int
    model: int
    tensors: List[Tensor]
    info: Dict[str, Any]
    data: memoryview


class Closed(Exception):
    """The store has closed its end."""


class Channel:
    """The worker's end of the socket to its store."""

    def __init__(self, connection: socket.socket, busy_poll_micros: int = 0) -> None:
        """It looks for the next request so many microseconds before it sleeps, as long as that pays; at most 300."""
        self._socket = connection
        self._busy_poll_seconds = min(busy_poll_micros, _LONGEST_BUSY_POLL_MICROS) / 1e6
        self._last_wait_seconds = 0.0
        self._scratch = memoryview(bytearray(_SCRATCH_BYTES))
        self._start = 0
        self._end = 0
        self._room = numpy.empty(0, numpy.uint8)

    def read(self) -> Frame:
        """The next frame. Raises Closed at the end."""
        header = self._take(HEADER.size)
        magic, op, request, model, count, meta_bytes, data_bytes = HEADER.unpack(header)
        if magic != MAGIC:
            raise Closed("no frame begins here")
        if meta_bytes <= _SCRATCH_BYTES:
            meta = bytes(self._take(_padded(meta_bytes)))
        else:
            long_meta = bytearray(_padded(meta_bytes))
            self._fill(memoryview(long_meta))
            meta = bytes(long_meta)
        data = memoryview(self._data_room(data_bytes))[:data_bytes]
        self._fill(data)
        tensors = []
        meta_at = data_at = 0
        for _ in range(count):
            code, rank, length = TENSOR.unpack_from(meta, meta_at)
            meta_at += TENSOR.size
            shape = struct.unpack_from("<%dQ" % rank, meta, meta_at)
            meta_at += 8 * rank
            tensors.append(Tensor(DTYPES[code - 1], shape, data[data_at : data_at + length]))
            data_at += _padded(length)
        info = json.loads(meta[meta_at:meta_bytes].decode()) if meta_at < meta_bytes else {}
        return Frame(op, request, model, tensors, info, data)

    def write(self, op: int, request: int, model: int, info: Dict[str, Any], outputs: Sequence[Any] = ()) -> None:
        """Sends a frame; an output of None is one that is no tensor."""
        meta: List[bytes] = []
        buffers: List[Any] = []
        data_bytes = 0
        for output in outputs:
            if output is None:
                meta.append(TENSOR.pack(0, 0, 0))
                continue
            length = memoryview(output.data).nbytes
            rank = len(output.shape)
            meta.append(TENSOR.pack(DTYPES.index(output.dtype) + 1, rank, length))
            meta.append(struct.pack("<%dQ" % rank, *output.shape))
            if length > 0:
                buffers.append(output.data)
            padding = _padded(length) - length
            if padding > 0:
                buffers.append(bytes(padding))
            data_bytes += length + padding
        if info:
            meta.append(json.dumps(info, separators=(",", ":")).encode())
        description = b"".join(meta)
        padding = bytes(_padded(len(description)) - len(description))
        header = HEADER.pack(MAGIC, op, request, model, len(outputs), len(description), data_bytes)
        self._send([header + description + padding, *buffers])

    def wait_for_end(self) -> None:
        """Returns when the store has closed its end, whatever is read or written meanwhile."""
        poll = select.poll()
        poll.register(self._socket.fileno(), 0)
        while not poll.poll():
            pass

    def _data_room(self, length: int) -> Any:
        """Buffer for a frame's data: the last one, unless it is too small, far too large, or a tensor still views it."""
        room = self._room
        # One reference here, one in the attribute, one for the call.
        if room.nbytes < length or room.nbytes > 4 * length + _SCRATCH_BYTES or sys.getrefcount(room) > 3:
            room = self._room = numpy.empty(length, numpy.uint8)
        return room

    def _take(self, length: int) -> memoryview:
        """The next bytes, where they have been read to."""
        if self._end - self._start < length:
            left = self._end - self._start
            self._scratch[:left] = bytes(self._scratch[self._start : self._end])
            self._start, self._end = 0, left
            while self._end < length:
                self._end += self._receive(self._scratch[self._end :])
        taken = self._scratch[self._start : self._start + length]
        self._start += length
        return taken

    def _fill(self, target: memoryview) -> None:
        ready = min(target.nbytes, self._end - self._start)
        target[:ready] = self._scratch[self._start : self._start + ready]
        self._start += ready
        while ready < target.nbytes:
            ready += self._receive(target[ready:])

    def _receive(self, target: memoryview) -> int:
        try:
            received = self._look_for(target) if self._last_wait_seconds < self._busy_poll_seconds else 0
            if received == 0:
                started = time.perf_counter()
                received = self._socket.recv_into(target)
                self._last_wait_seconds = time.perf_counter() - started
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if received == 0:
            raise Closed("the store has closed its end")
        return received

    def _look_for(self, target: memoryview) -> int:
        """Bytes that come soon: to wake a process that sleeps takes longer than a small run. 0 if there are none."""
        end = time.perf_counter() + self._busy_poll_seconds
        while time.perf_counter() < end:
            try:
                return self._socket.recv_into(target, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
        return 0

    def _send(self, buffers: List[Any]) -> None:
        views = [view if view.format == "B" and view.ndim == 1 else view.cast("B") for view in map(memoryview, buffers)]
        try:
            while views:
                sent = self._socket.sendmsg(views[:_MOST_BUFFERS])
                while views and sent >= views[0].nbytes:
                    sent -= views.pop(0).nbytes
                if sent > 0:
                    views[0] = views[0][sent:]
        except ConnectionError as error:
            raise Closed(str(error)) from error


def _padded(length: int) -> int:
    return (length + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
