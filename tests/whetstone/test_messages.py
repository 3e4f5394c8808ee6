"""Translations: complete, and gathered from everywhere."""

import pytest

from whetstone.web import catalogue
from whetstone.web.management.commands.messages import DOMAINS


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("locale", sorted(catalogue.LOCALES))
def test_every_text_has_a_translation(locale: str, domain: str) -> None:
    """`manage.py messages` gathers new ones into the .po files."""
    assert catalogue.gaps(locale, domain) == []


def test_texts_are_gathered_from_templates_python_typescript_fields_and_faults() -> None:
    platform = {message.id for message in catalogue.messages("django")}
    assert "What to do first" in platform  # a template
    assert "Held-out accuracy" in platform  # Python
    assert "How often the whole dataset is seen." in platform  # a field of a contract
    assert "The file holds no rows." in platform  # a fault
    assert "Create job" in {message.id for message in catalogue.messages("djangojs")}
