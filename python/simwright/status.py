"""Status files of a compiled folder: what has happened to members, as the launches of its jobs write it down."""

import json
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

#: States in which a member ends.
ENDS = ("completed", "failed", "interrupted")


class StatusReader:
    """Reads DIR/run/status, each time only what was added since the last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "run" / "status"
        self._offsets: Dict[str, int] = {}
        self.members: Dict[str, Dict[str, Any]] = {}
        """The last event of each member, by its name."""
        self._launches: Dict[Tuple[str, str], Dict[str, Any]] = {}

    def refresh(self) -> None:
        """Reads what is new."""
        for path in sorted(self._folder.glob("*.jsonl")):
            start = self._offsets.get(path.name, 0)
            # Opened each time: NFS looks for news of a file when it is opened.
            with open(path, "rb") as file:
                file.seek(start)
                text = file.read()
            end = text.rfind(b"\n") + 1
            self._offsets[path.name] = start + end
            for line in text[:end].splitlines():
                self._add(line)

    def end_of(self, member: str, run: Optional[str]) -> Optional[str]:
        """State in which a member has ended for good in a submission, None while it may still run."""
        event = self.members.get(member)
        if event is None or event["state"] not in ENDS or event.get("run") != run:
            return None
        # While its launch goes on, a member that has failed may be run again.
        launch = self._launches.get((event["entity"], event["jobId"]))
        return event["state"] if launch is not None and launch["launch"] == "ended" else None

    def _add(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        if "launch" in event:
            self._keep_later(self._launches, (event["entity"], event["jobId"]), event)
        elif "member" in event:
            self._keep_later(self.members, event["member"], event)

    @staticmethod
    def _keep_later(events: Dict[Any, Dict[str, Any]], key: Any, event: Dict[str, Any]) -> None:
        before = events.get(key)
        if before is None or before["time"] <= event["time"]:
            events[key] = event
