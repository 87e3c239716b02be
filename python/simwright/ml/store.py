"""Connections to the store: SmartRedis clients, with the variables that they read set for their making."""

import contextlib
import logging
import os
import threading
from typing import Any, Iterator, List, Optional, Sequence

logger = logging.getLogger("simwright.ml")

_environment = threading.Lock()


def prefixes_of(variable: str, store: str = "") -> List[str]:
    """The prefixes of keys that SSKEYIN or SSKEYOUT lists; none if it is not set. `store` is a store's identifier."""
    return [name for name in os.environ.get(_suffixed(variable, store), "").split(",") if name]


def connect(
    cluster: Optional[bool] = None,
    address: Optional[str] = None,
    store: str = "",
    sources: Optional[Sequence[str]] = None,
) -> Any:
    """A new SmartRedis client.

    :param cluster: True if the store is a Redis Cluster, None: as SR_DB_TYPE says
    :param address: host:port or unix://PATH, None: as SSDB says
    :param store: identifier of the store, for which the variables have the suffix _STORE
    :param sources: prefixes that the client can read from, None: as SSKEYIN says
    :raises smartredis.error.RedisConnectionError: the store does not answer
    """
    from smartredis import Client, ConfigOptions

    variables = {}
    if cluster is not None:
        variables["SR_DB_TYPE"] = "Clustered" if cluster else "Standalone"
    if address is not None:
        variables["SSDB"] = address
    if sources is not None:
        variables["SSKEYIN"] = ",".join(name for name in sources if name)
    # SmartRedis reads them when a client is made, from the environment only.
    with _environment, _set(variables, store):
        options = ConfigOptions.create_from_environment(store) if store else None
        return Client(options, logger_name="simwright")


@contextlib.contextmanager
def _set(variables: "dict[str, str]", store: str) -> Iterator[None]:
    before = {}
    for variable, value in variables.items():
        name = _suffixed(variable, store)
        before[name] = os.environ.get(name)
        os.environ[name] = value
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                del os.environ[name]
            else:
                os.environ[name] = old


def _suffixed(variable: str, store: str) -> str:
    return "{}_{}".format(variable, store) if store else variable


def be_verbose() -> None:
    """Lets this package's messages be seen where the application has set up no logging of its own."""
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
