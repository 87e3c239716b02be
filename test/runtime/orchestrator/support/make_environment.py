"""Makes a virtual environment with these packages, or completes the one that is there. Who comes meanwhile waits.

Arguments: folder, packages.
"""

import fcntl
import os
import pathlib
import subprocess
import sys
import venv

folder, *packages = sys.argv[1:]
complete = pathlib.Path(folder, "complete")
version = f"python{sys.version_info.major}.{sys.version_info.minor}"
wanted = "\n".join([version, *packages])
pathlib.Path(folder).parent.mkdir(parents=True, exist_ok=True)
with open(f"{folder}.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    if complete.exists() and complete.read_text() == wanted:
        raise SystemExit
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(os.path.join(folder, "lib", version, "site-packages", "pip")):
        venv.create(folder, clear=True, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    # Renamed into place: a copy of the folder may share its files.
    fresh = complete.with_suffix(".new")
    fresh.write_text(wanted)
    fresh.replace(complete)
