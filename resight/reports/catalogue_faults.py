"""Likely faults of a catalogue: a table, JSON, and a page with the pictures side by side."""

import base64
import io
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment
from PIL import Image, ImageOps
from rich.table import Table

from recognition.catalogue_check import Fault, Located
from recognition.data.labelled_stream import MatchedSighting

SIDE = 420
# More make the page slow to open.
MOST_SHOWN = 300

TOLD: dict[Fault, str] = {
    "one animal": "One animal under two names?",
    "another animal": "A picture under a wrong name?",
    "stranger": "A picture unlike the others of its name?",
}

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Catalogue check</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding: 1rem 0; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
figure { margin: 0; } img { width: 100%; border-radius: 8px; }
figcaption, .soft { font-size: .85rem; opacity: .75; overflow-wrap: anywhere; }
</style>
<h1>Catalogue check</h1>
<p>{{ found | length }} likely faults in {{ pictures }} pictures, the likeliest first.
{% if found | length > shown | length %}The first {{ shown | length }} are shown.{% endif %}
Nothing was changed.</p>
{% for each, told, sides in shown %}
<section><h2>{{ told }} <span class="soft">{{ each.gallery }},
{{ '%.0f' % (100 * each.finding.probability) }} %</span></h2>
<div class="pair">{% for name, source, image in sides %}
<figure>{% if image %}<img src="data:image/jpeg;base64,{{ image }}" alt="{{ name }}" loading="lazy">
{% else %}<p>This picture cannot be read any more.</p>{% endif %}
<figcaption><strong>{{ name }}</strong> {{ source }}</figcaption></figure>{% endfor %}
</div></section>
{% endfor %}
</html>
"""


def table(found: Sequence[Located], title: str) -> Table:
    """Return the faults as a table for a terminal."""
    made = Table("probability", "fault", "name", "other name", "picture", title=title)
    for each in found:
        finding = each.finding
        other = "" if finding.other == finding.name else finding.other
        probability = f"{finding.probability:.2f}"
        made.add_row(probability, finding.fault, finding.name, other, each.sources[0])
    return made


def as_json(found: Sequence[Located]) -> list[dict[str, Any]]:
    """Return the faults for JSON."""
    return [
        {
            "gallery": each.gallery,
            "fault": each.finding.fault,
            "name": each.finding.name,
            "other": each.finding.other,
            "probability": round(each.finding.probability, 4),
            "pictures": list(each.sources),
        }
        for each in found
    ]


def page(found: Sequence[Located], seen: Sequence[MatchedSighting]) -> str:
    """Return an HTML page with the pictures of each fault side by side."""
    shown = [
        (
            each,
            TOLD[each.finding.fault],
            [
                (name, sighting.labelled.source, _jpeg(sighting))
                for name, sighting in zip(
                    (each.finding.name, each.finding.other), each.sightings, strict=True
                )
            ],
        )
        for each in found[:MOST_SHOWN]
    ]
    template = Environment(autoescape=True).from_string(_PAGE)
    return template.render(found=found, shown=shown, pictures=len(seen))


def _jpeg(sighting: MatchedSighting) -> str:
    """Return the animal's picture in base64; '' if it cannot be read."""
    try:
        with Image.open(sighting.labelled.source) as image:
            upright = ImageOps.exif_transpose(image.convert("RGB"))
    except OSError:
        return ""
    box = sighting.matches.query.box
    if box.width and box.height:
        width, height = upright.size
        left, top = box.x * width, box.y * height
        right, bottom = left + box.width * width, top + box.height * height
        upright = upright.crop((round(left), round(top), round(right), round(bottom)))
    upright.thumbnail((SIDE, SIDE))
    target = io.BytesIO()
    upright.save(target, format="JPEG", quality=85)
    return base64.b64encode(target.getvalue()).decode()
