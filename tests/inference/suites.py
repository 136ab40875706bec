"""Pictures with which others test their decoders, fetched once into the user's cache.

Pillow's source package holds its own test pictures, among them many that once broke a decoder;
pypng's holds a part of PngSuite (Willem van Schaik, 1996–2013). Neither is shipped with the lab.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PYPNG = "0.20220715.0"
FETCH_SECONDS = 540.0


class SuitesMissingError(Exception):
    """pip could not fetch the source packages; the text is its last word."""


def pictures() -> dict[str, bytes]:
    """Returns the files of Pillow's tests and of PngSuite by name.

    Raises:
        SuitesMissingError: They are not in the cache and cannot be fetched.
    """
    return {**_pillow(), **_png_suite()}


def _pillow() -> dict[str, bytes]:
    version = importlib.metadata.version("pillow")
    found = {}
    with tarfile.open(_fetched("pillow", version)) as archive:
        for member in archive:
            if member.isfile() and "/Tests/images/" in member.name:
                file = archive.extractfile(member)
                assert file is not None
                found[member.name.split("/Tests/images/")[1]] = file.read()
    return found


def _png_suite() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(_fetched("pypng", PYPNG)) as archive:
            archive.extract(f"pypng-{PYPNG}/code/pngsuite.py", folder, filter="data")
        path = Path(folder) / f"pypng-{PYPNG}" / "code" / "pngsuite.py"
        spec = importlib.util.spec_from_file_location("pngsuite", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["pngsuite"] = module  # it looks itself up
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules["pngsuite"]
    return {f"PngSuite/{name}.png": data for name, data in module.png.items()}


def _fetched(package: str, version: str) -> Path:
    """Returns the source package of a version, fetched by pip unless it is in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cifar10-lab"
    path = cache / f"{package}-{version}.tar.gz"
    if path.is_file():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
            *("--no-deps", "--no-binary", package, "--dest", folder, f"{package}=={version}"),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SuitesMissingError(str(error)) from error
        got = Path(folder) / path.name
        if not got.is_file():
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise SuitesMissingError(f"pip could not fetch {package} {version}: {last}")
        got.replace(path)
    return path
