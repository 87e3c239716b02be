"""Python side of Simwright."""

__version__ = "0.1.0"
