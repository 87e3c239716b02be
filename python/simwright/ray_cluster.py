"""Facts about Ray for the program that keeps one node of a cluster.

`facts` prints what the installed Ray has, `nodes ADDRESS` the cluster's nodes, `watch ADDRESS` the same whenever they change: JSON,
one document a line.
"""

import json
import os
import sys
import time
from importlib import metadata, util
from typing import Any, Dict, List

POLL_SECONDS = 0.25


def facts() -> Dict[str, Any]:
    """Version of Ray; None for one that is not there. `client`: Ray's client server can run."""
    try:
        version = metadata.version("ray")
    except metadata.PackageNotFoundError:
        version = None
    return {"version": version, "client": util.find_spec("grpc") is not None, "python": sys.version.split()[0]}


def nodes(address: str, timeout_seconds: float = 5.0) -> List[Dict[str, Any]]:
    """Nodes of the cluster whose head listens on `address`, also those that have left: id, IP address, host, `alive`, `head`."""
    from ray._raylet import GcsClient  # the calls of ray.nodes() would connect a driver

    table = GcsClient(address=address).get_all_node_info(timeout=timeout_seconds)
    return [
        {
            "id": node.node_id.hex(),
            "ip": node.node_manager_address,
            "host": node.node_manager_hostname.split(".")[0],
            "alive": node.state == 0,
            "head": bool(node.is_head_node),
        }
        for node in table.values()
    ]


def watch(address: str) -> None:
    """Prints the nodes whenever they change, until the head does not answer, or this process has lost its parent."""
    parent = os.getppid()
    last = None
    while os.getppid() == parent:
        found = sorted(nodes(address), key=lambda node: node["id"])
        if found != last:
            print(json.dumps({"nodes": found}), flush=True)
            last = found
        time.sleep(POLL_SECONDS)


def main() -> None:
    if sys.argv[1:2] == ["facts"]:
        print(json.dumps(facts()))
    elif sys.argv[1:2] == ["nodes"] and len(sys.argv) == 3:
        print(json.dumps({"nodes": nodes(sys.argv[2])}))
    elif sys.argv[1:2] == ["watch"] and len(sys.argv) == 3:
        watch(sys.argv[2])
    else:
        raise SystemExit("usage: ray_cluster.py facts | nodes ADDRESS | watch ADDRESS")


if __name__ == "__main__":
    main()
