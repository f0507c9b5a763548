"""A record that ends the process that handles it, life after life."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.stages import Room
from tests.support.waiting import wait_until

KILLED = """
import os, sys
from shared.messages import Sighting
from shared.environment import load
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

class Fragile:
    def handle(self, messages):
        for message in messages:
            if message.sighting_id == "killer":
                os.kill(os.getpid(), 9)
            print(message.sighting_id, flush=True)
        return [[] for _ in messages]
    def acknowledged(self, receipts): pass
    def ready(self): return True

Stage(name=sys.argv[1], decoders={sys.argv[1] + ".in0": protobuf_decoder(Sighting)},
      handler=Fragile(), kafka=load(KafkaSettings), settings=load(StageSettings),
      telemetry=load(TelemetrySettings)).run()
"""


def _lives(room: Room, log: Path) -> Iterator[int]:
    """Run the service until everything is committed; yield how each life ended."""
    environment = {
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": room.kafka.bootstrap_servers,
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "3",
        "RESIGHT_KAFKA_INSTANCE_ID": "only",
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_TELEMETRY_PORT": "0",
        "PYTHONWARNINGS": "ignore",
    }
    for _ in range(12):
        with (
            log.open("ab") as output,
            subprocess.Popen(
                [sys.executable, "-c", KILLED, room.name], env=environment, stdout=output
            ) as process,
        ):

            def watch(process: "subprocess.Popen[bytes]" = process) -> None:
                wait_until(lambda: process.poll() is not None or room.committed() == 4, 60)
                process.terminate()

            thread = threading.Thread(target=watch)
            thread.start()
            process.wait()
            thread.join()
            yield process.returncode
            if room.committed() == 4:
                return


def test_a_record_that_ends_the_service_again_and_again_is_given_up_and_nothing_else(
    room: Room, tmp_path: Path
) -> None:
    room.send("a", "b", "killer", "c")
    ends = list(_lives(room, tmp_path / "handled"))
    assert ends[-1] == 0
    assert 3 <= len(ends) - 1 <= 5
    (letter,) = room.letters()
    assert (letter.offset, letter.kind) == (2, "ends-the-service")
    assert "crashed 3 times with this record in hand" in letter.reason
    handled = (tmp_path / "handled").read_text().split()
    assert set(handled) == {"a", "b", "c"}
