"""A directory of build results, keyed by what they were made from.

Entries are written beside their place and moved there in one step, so that several processes may
build the same thing at once and none reads half a file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

_OWN_VARIABLE = "SMIDGEN_CACHE"


def cache_dir() -> Path:
    """The directory for build results.

    ``SMIDGEN_CACHE`` names it; otherwise ``$XDG_CACHE_HOME/smidgen`` or ``~/.cache/smidgen``; where
    that cannot be written, a directory of this user's in the place for temporary files.
    """
    return _writable(os.environ.get(_OWN_VARIABLE), os.environ.get("XDG_CACHE_HOME"))


@lru_cache(maxsize=8)
def _writable(own: str | None, xdg: str | None) -> Path:
    user = f"smidgen-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    for place in (own and Path(own), _user_cache(xdg), Path(tempfile.gettempdir()) / user):
        if place and _can_write(place):
            return place
    return Path(tempfile.mkdtemp(prefix="smidgen-"))


def _user_cache(xdg: str | None) -> Path | None:
    if xdg:
        return Path(xdg) / "smidgen"
    try:
        return Path.home() / ".cache" / "smidgen"
    except RuntimeError:
        return None


def _can_write(place: Path) -> bool:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def fingerprint(*parts: object) -> str:
    """A hexadecimal SHA-256 over the `repr` of `parts`, in order."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = repr(part).encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def cached(kind: str, key: str, suffix: str, build: Callable[[], bytes]) -> Path:
    """The file for `key`, made by `build` unless it is there already."""
    place = cache_dir() / kind / key[:2] / f"{key}{suffix}"
    if not place.exists():
        store(place, build())
    return place


def store(place: Path, content: bytes) -> None:
    """Writes `content` to `place` in one step."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
