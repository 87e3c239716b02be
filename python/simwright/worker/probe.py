"""Answers what this Python can run, without importing a framework."""

import json
import platform
import sys
from typing import Any, Dict, Optional

from .frameworks import PACKAGES, find, installed


def probe() -> Dict[str, Any]:
    """Version of this Python, of numpy, and of the package that runs each backend's programs, None where there is none."""
    frameworks: Dict[str, Optional[Dict[str, str]]] = {}
    for backend in PACKAGES:
        found = find(backend)
        frameworks[backend] = found and {
            "package": found.distribution,
            "version": found.version,
            "least": found.package.least,
        }
    return {
        "python": sys.executable,
        "version": platform.python_version(),
        "frameworks": frameworks,
        "numpy": installed(("numpy",))[1] or None,
    }


def main() -> None:
    """Prints the answer as one line of JSON."""
    print(json.dumps(probe()))
