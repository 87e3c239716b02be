"""Makes a virtual environment with these packages, or completes the one that is there. Who comes meanwhile waits.

Arguments: folder, packages and options of pip; `--import=a,b`: modules that are imported once, which compiles them.
"""

import fcntl
import os
import pathlib
import subprocess
import sys
import venv

folder, *words = sys.argv[1:]
packages = [word for word in words if not word.startswith("--import=")]
modules = [name for word in words if word.startswith("--import=") for name in word[9:].split(",") if name]
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
    for module in modules:
        # One process each: frameworks do not all bear each other in one.
        subprocess.run([python, "-c", f"import {module}"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # Renamed into place: a copy of the folder may share its files.
    fresh = complete.with_suffix(".new")
    fresh.write_text(wanted)
    fresh.replace(complete)
