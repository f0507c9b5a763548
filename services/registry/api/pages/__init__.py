"""The review pages, rendered on the server without external resources."""

from services.registry.api.pages import (
    alerts,
    audit,
    dead_letters,
    galleries,
    home,
    imports,
    individuals,
    live,
    picture_queries,
    places,
    questions,
    signing_in,
)

ROUTERS = tuple(
    module.router
    for module in (
        *(home, questions, galleries, individuals, picture_queries, live),
        *(imports, alerts, places, dead_letters, audit, signing_in),
    )
)
