"""Producers as the runtime sees them, for a trainer in the same submission."""

import os
import time
from typing import Optional

from ..member import current
from ..status import StatusReader

#: Seconds between two looks at the status files.
_INTERVAL_SECONDS = 1.0


class Producers:
    """Ends of producers that have published none: they crashed, or use SmartSim's class. Outside of Simwright's jobs nothing is known."""

    def __init__(self) -> None:
        self._reader: Optional[StatusReader] = None
        if os.environ.get("SIMWRIGHT_DIR"):
            try:
                self._reader = StatusReader(current().folder)
            except FileNotFoundError:
                pass
        self._run = os.environ.get("SIMWRIGHT_RUN") or None
        self._looked = float("-inf")

    def end_of(self, name: str) -> Optional[str]:
        """'complete' or 'failed' for a producer that has ended, None for one that may go on, or is unknown."""
        if self._reader is None or not name:
            return None
        if time.monotonic() - self._looked >= _INTERVAL_SECONDS:
            self._reader.refresh()
            self._looked = time.monotonic()
        state = self._reader.end_of(name, self._run)
        return None if state is None else "complete" if state == "completed" else "failed"
