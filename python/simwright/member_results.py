"""Results of a compiled folder: its members with their parameters and files."""

import csv
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Union

from .member import Member
from .status import StatusReader


class Results(List[Dict[str, Any]]):
    """Members as dictionaries: name, entity, index, params, state, exit, seconds, host, directory, files.

    `params` has the member's parameters, `files` the paths of its files by their names relative to its directory. A member that nothing
    has happened to is `pending`. `exit`, `seconds`, `host` and `directory` are None where they are not known.
    """

    def to_pandas(self) -> Any:
        """A pandas.DataFrame with a row a member and a column a parameter; one named like another column gets `param.` before it.

        :raises ImportError: there is no pandas
        """
        import pandas

        fixed = ["name", "entity", "index", "state", "exit", "seconds", "host", "directory"]
        parameters = list(dict.fromkeys(name for row in self for name in row["params"]))
        columns = [("param." + name if name in fixed else name, name) for name in parameters]
        rows = [
            [row[name] for name in fixed[:3]]
            + [row["params"].get(name) for _, name in columns]
            + [row[name] for name in fixed[3:]]
            for row in self
        ]
        return pandas.DataFrame(rows, columns=[*fixed[:3], *(column for column, _ in columns), *fixed[3:]])


def results(folder: Union[str, "os.PathLike[str]"], entity: Optional[str] = None) -> Results:
    """The models and ensembles' members of a compiled folder, in the order of the workflow.

    :param folder: DIR, which holds plan.json
    :param entity: name of one ensemble or model; default: all
    :raises FileNotFoundError: there is no plan.json
    :raises KeyError: there is no entity of that name
    """
    root = Path(folder).absolute()
    try:
        with open(root / "plan.json", encoding="utf-8") as file:
            entities = [one for one in json.load(file)["entities"] if "members" in one]
    except FileNotFoundError:
        raise FileNotFoundError("{} has no plan.json: it is not a compiled folder".format(root)) from None
    names = [one["name"] for one in entities]
    if entity is not None and entity not in names:
        raise KeyError("there is no {!r} in {}; it has: {}".format(entity, root, ", ".join(names)))
    status = StatusReader(root)
    status.refresh()
    found = Results()
    rows = list(_rows_of_ensembles(root))
    for one in entities:
        if entity is not None and one["name"] != entity:
            continue
        if one["kind"] == "ensemble":
            found += [_member(root / "run" / one["name"] / row["name"], row) for row in rows if row["ensemble"] == one["name"]]
        else:
            event = status.members.get(one["name"], {})
            row = {"ensemble": one["name"], "name": one["name"], "index": "0", "state": event.get("state", "pending")}
            row.update({name: str(event[name]) for name in ("exit", "seconds", "host") if name in event})
            found.append(_member(root / "run" / one["name"], row))
    return found


def _rows_of_ensembles(root: Path) -> Iterator[Dict[str, str]]:
    try:
        with open(root / "run" / "members.csv", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except FileNotFoundError:
        return


def _member(directory: Path, row: Dict[str, str]) -> Dict[str, Any]:
    is_there = directory.is_dir()
    return {
        "name": row["name"],
        "entity": row["ensemble"],
        "index": int(row["index"]),
        "params": Member(directory).params if is_there else {},
        "state": row["state"],
        "exit": int(row["exit"]) if row.get("exit") else None,
        "seconds": float(row["seconds"]) if row.get("seconds") else None,
        "host": row.get("host") or None,
        "directory": directory if is_there else None,
        "files": _files_in(directory),
    }


def _files_in(directory: Path) -> Dict[str, Path]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path for path in paths}
