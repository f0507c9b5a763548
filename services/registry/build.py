"""Builds the registry from its settings, for serving and offline alike."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.registry.calibration import calibration
from services.registry.calibration.calibration import Calibration
from services.registry.ledger.ledger import Ledger
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings


def _utc_now() -> datetime:
    return datetime.now(UTC)


def build_registry(
    ledger: Ledger,
    settings: RegistrySettings,
    curves: Calibration | None = None,
    *,
    now: Callable[[], datetime] = _utc_now,
    watch: Callable[[], None] = lambda: None,
) -> RegistryService:
    """Return the registry on its ledger; without `curves` the configured calibration is loaded.

    Raises:
        SettingsError: the calibration cannot be read.
    """
    return RegistryService(
        ledger, curves or calibration.load(settings.calibration), settings, now, watch=watch
    )
