import runpy
from pathlib import Path

ROOT = Path(__file__).parents[4]
MESSAGES = ROOT / "shared" / "messages"


def test_the_generated_messages_are_those_of_the_proto_files(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "proto" / "generate.py"))["generate"](tmp_path)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    checked_in = {path.name: path.read_text() for path in MESSAGES.glob("*_pb2.py*")}
    assert made == checked_in, "run python proto/generate.py"
