"""One run of the whole system on a temporary stack."""

from collections.abc import Callable, Sequence
from pathlib import Path

from catalogue.publishing.account import Account
from catalogue.publishing.follow import publish_and_follow
from catalogue.reading.catalogue import Photograph
from resight.connections import open_ledger
from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from resight.stack_state import clear
from services.registry.identity.question import Question

PATIENCE_SECONDS = 120.0  # without any event, before it gives up


def demonstrate(
    photographs: Sequence[Photograph],
    stack: Path,
    models: Path,
    report: Callable[[str], None],
    attend: Callable[[Account], None],
) -> tuple[Account, list[Question]]:
    """Start a fresh stack in the folder `stack`, identify the photographs, and stop it.

    Returns the account and the questions that are open at the end. The folder's earlier contents
    are removed, except models.

    Raises:
        StackError: the folder is in use or not a stack's, or a process can't start.
        Transient: the broker went away.
    """
    clear(stack)
    supervisor = Supervisor(Profile(stack.resolve(), models.resolve(), choose_ports(0)), report)

    def look(account: Account) -> None:
        supervisor.tick()
        attend(account)

    supervisor.start()
    try:
        kafka = supervisor.state.kafka()
        account = publish_and_follow(kafka, photographs, look, PATIENCE_SECONDS)
        with open_ledger(supervisor.state.ledger_url) as ledger:
            open_questions = [
                each for gallery in ledger.galleries() for each in ledger.questions(gallery)
            ]
        return account, open_questions
    finally:
        supervisor.stop()
