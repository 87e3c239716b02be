"""Installs packages, without what they need, into a folder that goes onto PYTHONPATH. Who comes meanwhile waits.

Arguments: folder, packages.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys

folder, *packages = sys.argv[1:]
complete = pathlib.Path(folder, "complete")
wanted = "\n".join([sys.version, *packages])
pathlib.Path(folder).parent.mkdir(parents=True, exist_ok=True)
with open(f"{folder}.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    if complete.exists() and complete.read_text() == wanted:
        raise SystemExit
    shutil.rmtree(folder, ignore_errors=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*install, "--target", folder, *packages], check=True, stdout=subprocess.DEVNULL)
    complete.write_text(wanted)
