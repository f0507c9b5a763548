"""Metrics of the embedder."""

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
    "Captures that were dead-lettered, by reason.",
    kind=get_args(PoisonKind),
)
PICTURE_BYTES = histogram(
    "resight_embedder_picture_bytes",
    "Size of pictures as received.",
    tuple(float(4**power) for power in range(5, 13)),
)
FETCH = histogram("resight_embedder_fetch_seconds", "Time to read a picture from the store.")
DECODE = histogram(
    "resight_embedder_decode_seconds",
    "Time to decode a picture and cut out its animals, including the wait for a decode worker.",
)
WORKERS_ENDED = counter(
    "resight_embedder_decode_workers_ended_total",
    "Decode workers that were ended by a picture or ended unexpectedly.",
)
CROPS = counter("resight_embedder_crops_total", "Crops stored, one per sighting.")
MASKS = counter(
    "resight_embedder_masks_total",
    "Masks by outcome: used, or why the whole crop is used instead: covers too little or nearly "
    "all of the box, too small in pixels, or beside the box's centre.",
    outcome=OUTCOMES,
)
SEGMENTATION = histogram("resight_embedder_segmentation_seconds", "Time to segment one view.")
EXTRACTION = histogram(
    "resight_embedder_extraction_seconds",
    "Time to find one crop's keypoints; the mean for a batch.",
)
INFERENCE = histogram(
    "resight_embedder_inference_seconds", "Time to encode one batch of crops, locally or on Triton."
)
INFERENCE_CROPS = histogram(
    "resight_embedder_inference_crops", "Crops per batch.", (1, 2, 4, 8, 16, 32, 64)
)
MODEL = gauge(
    "resight_embedder_model_info",
    "1 for the encoder in use. Embeddings of different models are never compared.",
    name=DEPLOYED,
    version=DEPLOYED,
    preprocessing=DEPLOYED,
)
