"""The peers' own virtual environment, .local/peers: made from requirements/peers.txt when it is first wanted."""

import hashlib
import subprocess
import sys
from pathlib import Path

HOME, LOCK = Path(".local/peers"), Path("requirements/peers.txt")


def python_of_peers() -> str:
    """Return the path of its Python, with the locked packages installed."""
    python, stamp = HOME / "bin" / "python", HOME / "installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {LOCK} into {HOME} ...", flush=True)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, str(HOME)], check=True)
        install = [*uv, "pip", "install", "--python", str(python), "--require-hashes", "-r", str(LOCK)]
        subprocess.run(install, check=True)
        stamp.write_text(wanted)
    return str(python)
