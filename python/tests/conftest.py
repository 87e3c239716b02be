"""What tests share: a store, whose address SSDB says, and names of their own in it."""

import os
import socket
import subprocess
import sys
import textwrap
import uuid

import pytest

os.environ.setdefault("SR_DB_TYPE", "Standalone")
os.environ.setdefault("SR_LOG_LEVEL", "QUIET")


class RawStore:
    """The store without a client library: one request and its whole answer."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)))
        self._file = self._socket.makefile("rb")

    def __call__(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self):
        line = self._file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return int(rest) if kind == b":" else rest

    def dump(self, prefix):
        """Everything under a prefix: kind and bytes of each key, without the prefix."""
        found = {}
        for key in self("KEYS", prefix + ".*"):
            kind = self("TYPE", key).decode()
            if kind == "hash":
                words = self("HGETALL", key)
                value = dict(zip(words[::2], words[1::2]))
            elif kind == "list":
                value = [word.decode().replace(prefix + ".", "") for word in self("LRANGE", key, 0, -1)]
            else:
                value = self("AI.TENSORGET", key, "META", "BLOB")
            found[key.decode()[len(prefix) + 1 :]] = (kind, value)
        return found

    def close(self):
        self._file.close()
        self._socket.close()


@pytest.fixture
def raw():
    store = RawStore(os.environ["SSDB"])
    yield store
    store.close()


@pytest.fixture
def producer(monkeypatch):
    """A prefix of keys that this process writes and reads with, new for each test."""
    name = "p" + uuid.uuid4().hex[:8]
    monkeypatch.setenv("SSKEYOUT", name)
    monkeypatch.setenv("SSKEYIN", name)
    return name


@pytest.fixture
def begin():
    """Begins a Python program in a process of its own; all of them end with the test."""
    begun = []

    def start(source, *words, **variables):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(source), *map(str, words)], env={**os.environ, **variables}
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()
