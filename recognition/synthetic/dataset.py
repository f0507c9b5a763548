"""A synthetic data set: photographs with EXIF, and metadata.csv."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from recognition.synthetic.animal import Aspect, draw_animal
from recognition.synthetic.build import Pose
from recognition.synthetic.coat import Coat, grow
from recognition.synthetic.light import light_at
from recognition.synthetic.place import Place, draw_place
from recognition.synthetic.plan import Individual, Shot, Sight, plan
from recognition.synthetic.scene import Extent, Placed, photograph
from recognition.synthetic.species import SPECIES

METADATA = "metadata.csv"

_EXIF, _TAKEN = 0x8769, 0x9003  # the Exif block, and its DateTimeOriginal
_MOST_YAW = 35.0


@dataclass(frozen=True)
class Row:
    """One sighting: a line of metadata.csv.

    `path` is relative to the data set's folder; two rows with one path are two animals. `date` is
    ISO 8601. The box is in fractions of the picture.
    """

    path: str
    identity: str
    species: str
    viewpoint: str
    date: str
    deployment: str
    sequence: str
    x: float
    y: float
    width: float
    height: float


def draw(
    folder: Path,
    *,
    individuals: int = 24,
    sightings: float = 5.0,
    seed: int = 0,
    size: tuple[int, int] = (640, 480),
    species: Sequence[str] = tuple(SPECIES),
    deployments: int = 6,
    hours: range = range(24),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Draw a camera-trap data set into `folder` and return its rows in order of time.

    Equal arguments give equal pictures. `sightings` is the mean per individual, `size` the
    pictures' width and height in pixels. Only pictures taken in these `hours` are drawn. `progress`
    gets the number done and the total after each picture.

    Raises:
        ValueError: an unknown species, or too few of something.
    """
    unknown = sorted(set(species) - set(SPECIES))
    if unknown:
        raise ValueError(f"can't draw {', '.join(unknown)}; choose one of {', '.join(SPECIES)}")
    shots = plan(
        individuals=individuals,
        sightings=sightings,
        species=species,
        cameras=deployments,
        seed=seed,
    )
    studio = _Studio(folder, seed, size)
    rows: list[Row] = []
    for number, shot in enumerate(shots):
        if shot.taken.hour in hours:
            rows += studio.take(number, shot)
        if progress is not None:
            progress(number + 1, len(shots))
    _write(folder / METADATA, rows)
    return tuple(rows)


class _Studio:
    """Draws the pictures of one data set; caches coats and places."""

    def __init__(self, folder: Path, seed: int, size: tuple[int, int]) -> None:
        self._folder = folder
        self._seed = seed
        self._size = size
        self._coat = cache(self._grow)
        self._place = cache(self._draw_place)

    def take(self, number: int, shot: Shot) -> Iterator[Row]:
        """Draw and write one picture, and yield a row for each animal in it."""
        rng = np.random.default_rng((self._seed, 4, number))
        deployment = f"camera-{shot.camera + 1}"
        hour = shot.taken.hour + shot.taken.minute / 60
        # Two animals in a picture share its width; the first is farther away.
        placed = [
            self._stand(sight, index, len(shot.sights), rng)
            for index, sight in enumerate(shot.sights)
        ]
        taken = photograph(self._place(shot.camera), placed, light_at(hour), rng)
        # The sequence separates animals that pass in the same second.
        path = f"{deployment}/{shot.taken:%Y%m%d-%H%M%S}-{shot.sequence}.jpg"
        self._save(path, taken.image, shot, int(rng.integers(74, 93)))
        for sight, box in zip(shot.sights, taken.boxes, strict=True):
            yield _row(path, sight, shot, deployment, box)

    def _stand(self, sight: Sight, index: int, company: int, rng: np.random.Generator) -> Placed:
        """Return one animal somewhere in its share of the picture."""
        width, height = self._size
        kind = SPECIES[sight.individual.species]
        share = width / company
        reach = rng.uniform(0.62, 0.92) if company == 1 else rng.uniform(0.92, 1.05)
        # A drawing spans 960 body units, and is three quarters as high.
        scale = min(share * reach / 960.0, height * 0.8 / 750.0) * kind.size
        pose = Pose(
            stride=float(rng.random()),
            reach=float(rng.uniform(4, 19)),
            lift=float(rng.normal(-4, 11)),
            nod=float(rng.uniform(-8, 14)),
            tail=float(rng.uniform(-16, 16)),
            arch=float(rng.uniform(-8, 10)),
        )
        aspect = Aspect(
            scale=scale,
            yaw=float(np.clip(rng.normal(0, 12), -_MOST_YAW, _MOST_YAW)),
            roll=float(rng.normal(0, 2)),
            mirrored=sight.flank == "left",
        )
        cutout = draw_animal(kind, self._coat(sight.individual, sight.flank), pose, aspect, rng)
        slack = max(0.0, share - cutout.cover.shape[1] * 0.92) / 2
        x = share * (index + 0.5) + rng.uniform(-slack, slack)
        y = height * (rng.uniform(0.78, 0.92) if company == 1 else 0.72 + 0.12 * index)
        return Placed(cutout, float(x), float(max(y, cutout.ground)))

    def _grow(self, individual: Individual, flank: str) -> Coat:
        style = SPECIES[individual.species].style
        return grow(style, (self._seed, 2, individual.number, int(flank == "right")))

    def _draw_place(self, camera: int) -> Place:
        return draw_place((self._seed, 3, camera), self._size)

    def _save(
        self,
        path: str,
        image: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]",
        shot: Shot,
        quality: int,
    ) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif.get_ifd(_EXIF)[_TAKEN] = f"{shot.taken:%Y:%m:%d %H:%M:%S}"
        Image.fromarray(image).save(target, quality=quality, exif=exif)


def _row(path: str, sight: Sight, shot: Shot, deployment: str, box: Extent) -> Row:
    return Row(
        path=path,
        identity=sight.individual.identity,
        species=sight.individual.species,
        viewpoint=sight.flank,
        date=shot.taken.isoformat(),
        deployment=deployment,
        sequence=f"{deployment}-{shot.sequence}",
        **{name: round(value, 5) for name, value in asdict(box).items()},
    )


def _write(target: Path, rows: Sequence[Row]) -> None:
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
