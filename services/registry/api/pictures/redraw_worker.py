"""Re-encodes one picture in a separate process, which a hostile picture may crash.

python -m services.registry.api.pictures.redraw_worker SIDE MEGABYTES SECONDS < picture > JPEG
"""

import io
import resource
import sys

from PIL import Image

from shared.errors import Poison
from shared.images.codec import open_picture

QUALITY = 80


def main() -> None:
    """Re-encode a picture; exit with 1 if it is invalid."""
    side, megabytes, seconds = (int(word) for word in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        pixels = open_picture(sys.stdin.buffer.read()).pixels(side)
    except Poison:
        sys.exit(1)
    drawn = Image.fromarray(pixels)
    drawn.thumbnail((side, side))
    target = io.BytesIO()
    drawn.save(target, "JPEG", quality=QUALITY)
    sys.stdout.buffer.write(target.getvalue())


if __name__ == "__main__":
    main()
