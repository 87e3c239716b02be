"""Command line: `--probe`, or `--backend B --device D` and more to serve on file descriptor 3."""

import argparse
import os
import sys


def main() -> None:
    """Reads the arguments and does what they ask."""
    parser = argparse.ArgumentParser(prog="python -m simwright.worker", description=__doc__)
    parser.add_argument("--probe", action="store_true", help="print what this Python can run, and end")
    parser.add_argument("--backend", choices=("TORCH", "TF", "TFLITE", "ONNX"))
    parser.add_argument("--device", default="CPU")
    parser.add_argument("--intra", type=int, default=0, help="threads within operators; 0: the framework's choice")
    parser.add_argument("--inter", type=int, default=0, help="threads between operators; 0: the framework's choice")
    parser.add_argument("--busy-poll", type=int, default=0, help="microseconds to look for a request before sleeping")
    options = parser.parse_args()
    if options.probe:
        from .probe import main as print_probe

        print_probe()
    elif options.backend is None:
        parser.error("--probe or --backend is needed")
    else:
        from .serve import serve

        # The store's own folder stays as it is (-B); a framework may keep what it compiles.
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
        serve(options.backend, options.device, options.intra, options.inter, options.busy_poll)


main()
