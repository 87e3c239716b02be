"""The worker's loop: reads requests from its store, one after the other, and answers them."""

import importlib
import os
import platform
import signal
import socket
import sys
import threading
import time
from typing import Any, Dict, Optional

from .errors import WorkerError, described
from .frameworks import find, is_older
from .frames import FAILED, LOAD, LOADED, RAN, READY, RUN, UNLOAD, Channel, Closed, Frame
from .memory import give_memory_back
from .program import Call, Framework, Program, Settings

_MODULES = {"TORCH": "torch_programs", "TF": "tf_programs", "TFLITE": "tflite_programs", "ONNX": "onnx_programs"}
_SOCKET = 3


def serve(backend: str, device: str, intra: int, inter: int, busy_poll_micros: int) -> None:
    """Serves on file descriptor 3 until the store closes it."""
    # Ctrl-C and a job's warnings are for the store, which ends this process by closing the socket.
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    connection = socket.socket(fileno=_SOCKET)
    connection.setblocking(True)
    os.set_inheritable(_SOCKET, False)
    channel = Channel(connection, busy_poll_micros)
    # A run may take long, and the store may be gone by then.
    threading.Thread(target=_end_with, args=(channel,), daemon=True).start()
    try:
        try:
            framework = _framework(backend, Settings(device, intra, inter))
        except BaseException as error:  # An import may raise anything, SystemExit included.
            problem, message = _start_failure(backend, error)
            channel.write(FAILED, 0, 0, {"problem": problem, "message": message})
            return
        channel.write(READY, 0, 0, _ready(framework))
        _Server(channel, framework).run()
    except Closed:
        pass


def _end_with(channel: Channel) -> None:
    channel.wait_for_end()
    os._exit(0)


def _ready(framework: Framework) -> Dict[str, Any]:
    return {
        "framework": framework.name,
        "version": framework.version,
        "device": framework.device,
        "python": platform.python_version(),
    }


def _framework(backend: str, settings: Settings) -> Framework:
    found = find(backend)
    if found is not None and found.version != "" and is_older(found.version, found.package.least):
        raise WorkerError(
            "backend",
            "%s needs %s ≥ %s; %s has %s"
            % (backend, found.distribution, found.package.least, sys.executable, found.version),
        )
    module = importlib.import_module("." + _MODULES[backend], __package__)
    return module.FRAMEWORK(settings)


def _start_failure(backend: str, error: BaseException) -> "tuple[str, str]":
    if isinstance(error, WorkerError):
        return error.problem, str(error)
    reason = "%s: %s" % (type(error).__name__, error)
    return "backend", "the framework of %s could not be imported in %s: %s" % (backend, sys.executable, reason)


class _Server:
    def __init__(self, channel: Channel, framework: Framework) -> None:
        self._channel = channel
        self._framework = framework
        self._programs: Dict[int, Program] = {}

    def run(self) -> None:
        """Answers requests until the store closes its end."""
        while True:
            frame = self._channel.read()
            if frame.op == UNLOAD:
                self._programs.pop(frame.model, None)
                give_memory_back()
                continue
            try:
                if frame.op == LOAD:
                    self._load(frame)
                elif frame.op == RUN:
                    self._run(frame)
                else:
                    raise WorkerError("failed", "a frame has the unknown operation %d" % frame.op)
            except Closed:
                raise
            except Exception as error:
                problem, message = described(error)
                # It may hold what the failed run has made.
                del error
                self._channel.write(FAILED, frame.id, frame.model, {"problem": problem, "message": message})
            # The buffer of the frame can be used again once nothing views it.
            del frame

    def _load(self, frame: Frame) -> None:
        self._programs.pop(frame.model, None)
        program = self._framework.load(frame.data, frame.info)
        self._programs[frame.model] = program
        self._channel.write(LOADED, frame.id, frame.model, program.names.as_json())

    def _run(self, frame: Frame) -> None:
        program = self._programs.get(frame.model)
        if program is None:
            raise WorkerError("failed", "the program is not loaded in this worker")
        started = time.perf_counter()
        outputs = program.run(frame.tensors, _call(frame.info))
        micros = round((time.perf_counter() - started) * 1e6)
        self._channel.write(RAN, frame.id, frame.model, {"micros": micros}, outputs)


def _call(info: Dict[str, Any]) -> Optional[Call]:
    if not info:
        return None
    return Call(info["fn"], info["isEntryPoint"], info["keys"], info["args"], info["outputs"])
