"""`manage.py messages`: keeps the translations complete."""

from argparse import ArgumentParser
from typing import Any

from babel.messages.mofile import write_mo
from django.core.management.base import BaseCommand, CommandError

from whetstone.web import catalogue

DOMAINS = ("django", "djangojs")


class Command(BaseCommand):
    help = "Gathers all texts into locale/*.po; --compile writes what runs; --check fails where a text is missing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--compile", action="store_true", help="write the .mo files that the platform reads")
        what.add_argument("--check", action="store_true", help="fail when a text has no translation")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        elif options["compile"]:
            self._each(_compile)
        else:
            self._each(_update)

    def _each(self, work: Any) -> None:
        for locale in catalogue.LOCALES:
            for domain in DOMAINS:
                work(locale, domain)

    def _check(self) -> None:
        found = [
            f"{locale}/{domain}: {text}"
            for locale in catalogue.LOCALES
            for domain in DOMAINS
            for text in catalogue.gaps(locale, domain)
        ]
        if found:
            raise CommandError("These texts have no translation:\n" + "\n".join(found))


def _update(locale: str, domain: str) -> None:
    catalogue.save(catalogue.update(locale, domain), locale, domain)


def _compile(locale: str, domain: str) -> None:
    path = catalogue.path_of(locale, domain).with_suffix(".mo")
    with path.open("wb") as file:
        write_mo(file, catalogue.load(locale, domain))
