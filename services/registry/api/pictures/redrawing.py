"""Pictures that came from anybody, as they may be shown: decoded and written anew, or not at all.

Nothing of the file is passed on but what can be seen: no EXIF, which tells the place, no second
picture behind the end of the first. It is decoded in a process of its own, within limits, as some
of these pictures end whoever decodes them; that process gets no secret of this one.
"""

import subprocess
import sys

from shared.process.environment import scrubbed

SIDE = 640
MEGABYTES = 2048
SECONDS = 10


def redrawn(picture: bytes, side: int = SIDE) -> bytes:
    """Return a picture as a JPEG whose longer side is at most `side`; b'' for what is none."""
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
