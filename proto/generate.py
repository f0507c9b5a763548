"""Generate shared/messages from proto/resight/v1.

protoc names the generated package after the folder of the .proto files, which
here would be `resight`, the command line's package; the imports are rewritten
to `shared.messages`. Usage: python proto/generate.py [FOLDER]
"""

import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).parent
MESSAGES = PROTO.parent / "shared" / "messages"


def generate(target: Path) -> list[Path]:
    """Write `*_pb2.py` and `*_pb2.pyi` into `target` and return their paths."""
    sources = sorted(str(path) for path in (PROTO / "resight" / "v1").glob("*.proto"))
    well_known = str(files("grpc_tools") / "_proto")
    written = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={folder}"]
        status = protoc.main(["protoc", *arguments, f"--pyi_out={folder}", *sources])
        if status != 0:
            raise SystemExit(f"protoc failed with exit status {status}")
        for path in sorted(Path(folder, "resight", "v1").iterdir()):
            text = re.sub(
                r"from resight\.v1 import", "from shared.messages import", path.read_text()
            )
            written.append(target / path.name)
            written[-1].write_text(text)
    return written


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES)
