"""Runs the embedder: `python -m services.embedder.main`, configured by the environment."""

from functools import partial

import cv2
import torch

from services.embedder.build import build_embedder
from services.embedder.captures.capture import decode_capture
from services.embedder.settings import EmbedderSettings, EncoderSettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.kafka import topics
from shared.labels import LabelSettings
from shared.process.startup import start_process
from shared.settings import BlobSettings, KafkaSettings, StageSettings
from shared.stage.loop import Stage

# Large batches gain nothing on a CPU, and the matcher would wait for the first one.
MESSAGES_HERE = 4


def main() -> None:
    """Connect the clients and consume until shutdown."""
    with start_process("embedder") as telemetry:
        settings, encoding = load(EmbedderSettings), load(EncoderSettings)
        blobs = load(BlobSettings)
        # One crop in each thread is faster than one with all threads.
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        service = build_embedder(
            settings,
            encoding,
            crops=BlobStore(blobs.crops_url, writes=True),
            captures=BlobStore(blobs.captures_url),
        )
        Stage(
            name="embedder",
            decoders={
                topics.CAPTURES: partial(
                    decode_capture, max_animals=settings.max_animals, labels=load(LabelSettings)
                )
            },
            handler=service,
            kafka=load(KafkaSettings),
            settings=load(StageSettings),
            telemetry=telemetry,
            max_messages=MESSAGES_HERE if encoding.kind == "onnx" else None,
            prepare=lambda _: service.warm_up(),
        ).run()


if __name__ == "__main__":
    main()
