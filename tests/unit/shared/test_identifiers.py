import pytest

from shared.identifiers import WHOLE_PICTURE, gallery_name, sighting_id
from shared.messages import Box

DIGEST = "ab" * 32


def box(x: float, y: float, width: float, height: float) -> Box:
    return Box(x=x, y=y, width=width, height=height)


def test_a_sighting_id_is_pinned_since_replays_and_ledgers_depend_on_it() -> None:
    assert sighting_id(DIGEST, box(*WHOLE_PICTURE)) == (
        "5d48a5cc09a085e7764ed2cfd3e59859c94bf576b50a594af28a142496ae4f46"
    )


def test_another_box_or_image_is_another_sighting() -> None:
    ids = {
        sighting_id(DIGEST, box(*WHOLE_PICTURE)),
        sighting_id("cd" * 32, box(*WHOLE_PICTURE)),
        sighting_id(DIGEST, box(0, 0, 1, 0.5)),
        sighting_id(DIGEST, box(0, 0, 0.5, 1)),
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("population", "species", "name"),
    [
        ("Hwange NP", "Equus quagga", "hwange-np/equus-quagga"),
        ("", "", "default/unspecified"),
        ("--", "Panthera  pardus!", "default/panthera-pardus"),
    ],
)
def test_a_gallery_is_named_by_population_and_species(
    population: str, species: str, name: str
) -> None:
    assert gallery_name(population, species) == name
