"""Errors that a worker tells its store."""

import re

PROBLEMS = ("model", "backend", "device", "no-gpu", "memory", "failed")
"""Kinds of reasons for which a program cannot be loaded or run, as the store knows them."""


class WorkerError(Exception):
    """Reason for which a program cannot be loaded or run. `problem` is one of PROBLEMS."""

    def __init__(self, problem: str, message: str) -> None:
        super().__init__(message)
        self.problem = problem


def described(error: BaseException) -> "tuple[str, str]":
    """Problem and message of an error that a framework has raised."""
    if isinstance(error, WorkerError):
        return error.problem, str(error)
    if isinstance(error, MemoryError):
        return "model", "there is not enough memory for the model: " + (str(error) or "MemoryError")
    return "model", _reason(str(error).strip()) or type(error).__name__


def _reason(text: str) -> str:
    """Reason for which TorchScript's interpreter has failed, without the code that it quotes and the files of whoever made the model."""
    if "failed in the TorchScript interpreter" not in text:
        return text
    return re.sub(r"^[\w.]+: ", "", text.splitlines()[-1])
