"""Re-encodes untrusted pictures before they are shown.

Only pixels are kept: no EXIF, which holds the location, and no data after the end of the picture.
    Decoding runs in a separate process, within limits and without this one's secrets, because some
    pictures crash decoders.
"""

import subprocess
import sys

from shared.process.environment import scrubbed

SIDE = 640
MEGABYTES = 2048
SECONDS = 10


def redrawn(picture: bytes, side: int = SIDE) -> bytes:
    """Return a picture as a JPEG whose longer side is at most `side`; b'' if it is invalid."""
    command = [sys.executable, "-P", "-m", "services.registry.api.pictures.redraw_worker"]
    limits = [str(side), str(MEGABYTES), str(SECONDS)]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, *limits],
            input=picture,
            capture_output=True,
            timeout=2 * SECONDS,
            check=False,
            env=scrubbed(),
        )
    except (subprocess.TimeoutExpired, OSError):
        return b""
    return done.stdout if done.returncode == 0 else b""
