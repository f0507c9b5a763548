"""Start of every service, and logging of why it ends."""

import faulthandler
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.environment import load
from shared.errors import SettingsError
from shared.process.logs import configure_logging
from shared.process.native_stderr import redirect
from shared.settings import TelemetrySettings

# As in sysexits.h: restarting does not help until the settings change.
CONFIGURATION = 78

log = logging.getLogger(__name__)


@contextmanager
def start_process(service: str) -> Iterator[TelemetrySettings]:
    """Log as JSON, native libraries included, and log what ends the service.

    Exits with 78 for a wrong setting and with 1 for a crash.
    """
    real = redirect(service)
    faulthandler.enable()
    configure_logging(service, "INFO", real)
    threading.excepthook = _thread_ended
    try:
        telemetry = load(TelemetrySettings)
        configure_logging(service, telemetry.log_level, real)
        yield telemetry
    except SettingsError as error:
        log.critical("%s", error)
        sys.exit(CONFIGURATION)
    except Exception:
        log.critical("the service ended", exc_info=True)
        sys.exit(1)


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    name = told.thread.name if told.thread else "a thread"
    error = told.exc_value or told.exc_type()
    log.critical("%s ended", name, exc_info=(told.exc_type, error, told.exc_traceback))
