"""Frameworks that a worker runs programs with: the packages that provide each, and the least versions."""

import importlib.util
from typing import Dict, List, NamedTuple, Optional, Tuple

try:
    from importlib import metadata
except ImportError:  # pragma: no cover
    metadata = None  # type: ignore[assignment]


class Package(NamedTuple):
    """A package of a framework: the module to import, and the distributions that may have brought it."""

    module: str
    distributions: Tuple[str, ...]
    least: str


_TENSORFLOW = Package(
    "tensorflow",
    ("tensorflow", "tensorflow-cpu", "tensorflow-rocm", "tensorflow-gpu", "intel-tensorflow", "tf-nightly"),
    "2.4",
)

PACKAGES: Dict[str, List[Package]] = {
    "TORCH": [Package("torch", ("torch",), "1.11")],
    "TF": [_TENSORFLOW],
    "TFLITE": [
        Package("ai_edge_litert", ("ai-edge-litert", "ai-edge-litert-nightly"), "1.0"),
        Package("tflite_runtime", ("tflite-runtime",), "2.4"),
        _TENSORFLOW,
    ],
    "ONNX": [
        Package(
            "onnxruntime",
            ("onnxruntime", "onnxruntime-gpu", "onnxruntime-rocm", "onnxruntime-openvino", "onnxruntime-training"),
            "1.10",
        )
    ],
}
"""Packages by backend, the preferred one first."""


class Found(NamedTuple):
    """An installed package. The version is empty if nothing but its import would tell it."""

    package: Package
    distribution: str
    version: str


def find(backend: str) -> Optional[Found]:
    """The package that runs a backend's programs here, found without importing it; None if there is none."""
    for package in PACKAGES[backend]:
        try:
            if importlib.util.find_spec(package.module) is None:
                continue
        except (ImportError, ValueError):
            continue
        name, version = installed(package.distributions)
        return Found(package, name or package.distributions[0], version)
    return None


def installed(distributions: Tuple[str, ...]) -> Tuple[str, str]:
    """Name and version of the first of the distributions that is installed; empty texts if none is."""
    for name in distributions:
        try:
            return name, metadata.version(name)
        except Exception:  # No such distribution, or one whose description is damaged.
            continue
    return "", ""


def is_older(version: str, least: str) -> bool:
    """True if a version such as `2.1.0+cpu` comes before the least one."""
    return _numbers(version) < _numbers(least)


def _numbers(version: str) -> List[int]:
    numbers = []
    for part in version.split("+")[0].split("."):
        digits = ""
        for character in part:
            if not character.isdigit():
                break
            digits += character
        if digits == "":
            break
        numbers.append(int(digits))
    return numbers
