"""`manage.py demo`: start the platform, train a better model in front of your eyes, and stay up."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from whetstone.operations.demo import Outcome, run
from whetstone.operations.management.commands.up import add_place
from whetstone.operations.processes import CannotStart, Platform
from whetstone.operations.seed import Seeded, SeedingFailed


class Command(BaseCommand):
    help = "Starts the platform and runs a GRPO job on the starter model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_place(parser)
        parser.add_argument(
            "--exit",
            action="store_true",
            help="end by itself; exit 0 only if accuracy rose by 20 points or more",
        )

    def handle(self, *args: Any, host: str, port: int, exit: bool, **options: Any) -> None:
        console = Console(highlight=False)
        try:
            with Platform(host, port) as platform:
                console.print(f"Whetstone is at [bold]{platform.url}[/bold]; its logs are in {platform.logs}")
                if platform.hint:
                    console.print(platform.hint)
                seeded, outcome = run(platform.url, console)
                _tell(console, platform.url, seeded, outcome)
                if not exit:
                    console.print("The platform stays up. Ctrl-C stops it.")
                    platform.watch()
        except (CannotStart, SeedingFailed) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            return
        if exit and not outcome.has_learned:
            raise CommandError("Held-out accuracy did not rise by 20 points.")


def _tell(console: Console, url: str, seeded: Seeded, outcome: Outcome) -> None:
    console.print()
    if outcome.before is None or outcome.after is None:
        console.print(f"The job ended without a result: {outcome.status}. {outcome.message}")
    else:
        gain = 100 * (outcome.after - outcome.before)
        console.print(
            f"Accuracy on held-out problems: [bold]{outcome.before:.1%}[/bold] before, "
            f"[bold]{outcome.after:.1%}[/bold] after ({gain:+.1f} points)."
        )
    console.print(f"See how: [bold]{url}/jobs/{outcome.job}[/bold]")
    console.print(f"Log in as [bold]{seeded.user}[/bold] with the password [bold]{seeded.password}[/bold]")
