"""Makes the first admin key inside the registry's image, which has no `resight keys`.

python -m services.registry.api.first_key NAME
"""

import sys

from services.registry.api.access.audit_log import COMMAND_LINE, AuditLog
from services.registry.api.access.keys import Access
from services.registry.ledger.store import Store
from services.registry.settings import LedgerSettings
from shared.environment import load
from shared.errors import ResightError


def main() -> None:
    """Print an admin key for the named person, who can then make others."""
    if len(sys.argv) != 2:
        sys.exit("name the owner of the key: python -m services.registry.api.first_key NAME")
    try:
        store = Store.at(load(LedgerSettings))
        key = Access(store).add(sys.argv[1], "admin")
        AuditLog(store).note("make a key", COMMAND_LINE, about=f"{sys.argv[1]}, admin")
        sys.stdout.write(f"{key}\n")
    except ResightError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
