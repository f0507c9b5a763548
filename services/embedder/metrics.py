"""What the embedder counts; a closed list."""

from prometheus_client import Counter, Histogram

# Masks by what became of them: used, or too little of the box, nearly all of it, an animal too
# small in pixels, something beside the box's middle; the whole crop is gone by then.
MASKS = Counter("resight_embedder_masks_total", "Masks of sightings", ["outcome"])
# One view through the segmenter.
SEGMENTATION = Histogram("resight_embedder_segmentation_seconds", "Time to find an animal")
