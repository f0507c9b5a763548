"""What the embedder counts."""

from typing import get_args

from shared.errors import PoisonKind
from shared.foreground.animal import OUTCOMES
from shared.process.metrics import DEPLOYED, counter, gauge, histogram

CAPTURES = counter(
    "resight_embedder_captures_total",
    "Captures handled, by where their picture was: in the message or in the store.",
    source=("inline", "reference"),
)
REFUSED = counter(
    "resight_embedder_pictures_refused_total",
    "Captures of which nothing could be made, by what is wrong with them.",
    kind=get_args(PoisonKind),
)
PICTURE_BYTES = histogram(
    "resight_embedder_picture_bytes",
    "Size of a picture as it came.",
    tuple(float(4**power) for power in range(5, 13)),
)
FETCH = histogram("resight_embedder_fetch_seconds", "Time to read a picture from the store.")
DECODE = histogram(
    "resight_embedder_decode_seconds",
    "Time to decode a picture and cut its animals out, waiting for a decode worker included.",
)
WORKERS_ENDED = counter(
    "resight_embedder_decode_workers_ended_total",
    "Decode workers that a picture ended, or that ended by themselves.",
)
CROPS = counter("resight_embedder_crops_total", "Crops stored, one for each sighting.")
MASKS = counter(
    "resight_embedder_masks_total",
    "Masks by what became of them: used, or too little of the box, nearly all of it, an animal too "
    "small in pixels, something beside the box's middle; the whole crop is gone by then.",
    outcome=OUTCOMES,
)
SEGMENTATION = histogram("resight_embedder_segmentation_seconds", "One view through the segmenter.")
INFERENCE = histogram(
    "resight_embedder_inference_seconds", "One batch of crops through the encoder, here or there."
)
INFERENCE_CROPS = histogram(
    "resight_embedder_inference_crops", "Crops in such a batch.", (1, 2, 4, 8, 16, 32, 64)
)
MODEL = gauge(
    "resight_embedder_model_info",
    "1 for the encoder in use. Embeddings of two models never meet.",
    name=DEPLOYED,
    version=DEPLOYED,
    preprocessing=DEPLOYED,
)
