import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import (
    UNKNOWN_SPECIES,
    WHOLE_PICTURE,
    gallery_name,
    names_gallery,
    sighting_id,
)
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


@pytest.mark.parametrize(
    ("species", "gallery"),
    [
        ("狮子", "default/狮子"),
        ("斑马", "default/斑马"),
        ("Тигр", "default/тигр"),
        ("شير", "default/شير"),
        ("हिरन", "default/हिरन"),
        ("ＺＥＢＲＡ", "default/zebra"),
        ("cafe\u0301", "default/café"),
        ("\u200bzebra\u200b", "default/zebra"),
    ],
)
def test_letters_of_every_script_stay(species: str, gallery: str) -> None:
    assert gallery_name("", species) == gallery
    assert names_gallery(gallery)


def test_different_names_of_symbols_are_different_galleries() -> None:
    lion, tiger = gallery_name("", "🦁"), gallery_name("", "🐯")
    assert lion != tiger
    assert UNKNOWN_SPECIES not in lion + tiger
    assert names_gallery(lion)


@given(st.text(max_size=30), st.text(max_size=30))
def test_every_name_gives_a_gallery_that_names_itself(population: str, species: str) -> None:
    assert names_gallery(gallery_name(population, species))


@pytest.mark.parametrize("text", ["zebra", "a/b/c", "a/", "/b", "Default/zebra", "a/b c", "a/b\n"])
def test_other_texts_name_no_gallery(text: str) -> None:
    assert not names_gallery(text)
