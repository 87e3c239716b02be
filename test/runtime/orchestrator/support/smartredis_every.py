"""Which public methods of smartredis a script has called itself. Import it first, ask `missing()` last."""

import functools
import inspect

from smartredis import Client, ConfigOptions, Dataset, LogContext

classes = [Client, Dataset, ConfigOptions, LogContext]
called = set()
depth = 0


def public(cls):
    return [name for name in dir(cls) if not name.startswith("_")]


def counted(title, function):
    @functools.wraps(function)
    def call(*words, **named):
        global depth
        if depth == 0:
            called.add(title)
        depth += 1
        try:
            return function(*words, **named)
        finally:
            depth -= 1

    return call


for cls in classes:
    for name in public(cls):
        found = inspect.getattr_static(cls, name)
        title = f"{cls.__name__}.{name}"
        if isinstance(found, (staticmethod, classmethod)):
            setattr(cls, name, type(found)(counted(title, found.__func__)))
        elif callable(found):
            setattr(cls, name, counted(title, found))
        else:
            raise SystemExit(f"{title} is no method")


def missing():
    return sorted({f"{cls.__name__}.{name}" for cls in classes for name in public(cls)} - called)
