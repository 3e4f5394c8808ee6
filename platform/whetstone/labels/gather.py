"""Labels come in, are changed, and are taken back."""

from django.db import IntegrityError, transaction

from contracts.fault import Fault
from whetstone.accounts.models import Team, User
from whetstone.accounts.scope import owned
from whetstone.labels.destination import destination
from whetstone.labels.models import Label
from whetstone.labels.said import Saying


def gather(user: User, team: Team, dataset: str, saying: Saying) -> Label:
    """Takes a person's word. What the same person said of the same answers before is replaced.

    Raises:
        Fault: label.wrong_shape, .does_not_fit, .equal_answers, .empty_answer, .unchanged.
    """
    _check(saying)
    destination(team, dataset, saying.kind)
    try:
        return _put(user, team, dataset, saying)
    except IntegrityError:  # the same person in two tabs, at once
        return _put(user, team, dataset, saying)


def _check(saying: Saying) -> None:
    """A row that no training could learn from is better refused while its author is still looking at it."""
    if saying.verdict in ("tie", "both_bad"):
        return
    texts = [*saying.texts, saying.edited] if saying.kind == "edit" else saying.texts
    must_speak = texts[-1:] if saying.kind == "edit" else texts
    if not all(text.strip() for text in must_speak):
        raise Fault("label.empty_answer", field="answers")
    if len(texts) == 2 and texts[0] == texts[1]:
        code = "label.unchanged" if saying.kind == "edit" else "label.equal_answers"
        raise Fault(code, field="answers")


@transaction.atomic
def _put(user: User, team: Team, dataset: str, saying: Saying) -> Label:
    key = saying.key(user.pk)
    found = owned(Label, team).select_for_update().filter(user=user, dataset=dataset, key=key).first()
    document = saying.model_dump(mode="json")
    if found is None:
        return Label.objects.create(
            team=team,
            user=user,
            dataset=dataset,
            kind=saying.kind,
            verdict=saying.verdict,
            key=key,
            prompt_key=saying.prompt_key(),
            saying=document,
        )
    if found.saying != document or found.is_withdrawn:
        found.verdict, found.saying = saying.verdict, document
        found.is_new, found.is_withdrawn = True, False
        found.revision += 1
        found.save(update_fields=["verdict", "saying", "is_new", "is_withdrawn", "revision", "changed_at"])
    return found


@transaction.atomic
def take_back(user: User, team: Team, label: str) -> None:
    """A person's own label, as if it had never been said. Raises Fault label.not_found."""
    found = owned(Label, team).select_for_update().filter(user=user, id=label, is_withdrawn=False).first()
    if found is None:
        raise Fault("label.not_found", field="label", label=label)
    if not found.was_published:
        found.delete()
        return
    found.is_withdrawn, found.is_new = True, True
    found.revision += 1
    found.save(update_fields=["is_withdrawn", "is_new", "revision", "changed_at"])
