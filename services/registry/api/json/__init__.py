"""The JSON API; each module is a group of routes."""

from services.registry.api.json import (
    alerts,
    audit,
    exports,
    imports,
    live,
    pairs,
    picture_queries,
    places,
    reading,
    writing,
)

# In the order of the OpenAPI document.
ROUTERS = tuple(
    module.router
    for module in (
        *(reading, writing, live, exports, imports, picture_queries),
        *(alerts, pairs, places, audit),
    )
)
