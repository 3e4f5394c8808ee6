"""`whetstone`, put together; and the one place where what went wrong becomes a sentence and an exit code."""

import os
from typing import Any

import typer
from typer.core import TyperGroup

from whetstone_cli import datasets, evaluators, jobs, models
from whetstone_cli.ends import Ended, Exit
from whetstone_cli.evaluate import evaluate
from whetstone_cli.gate import gate
from whetstone_cli.login import login
from whetstone_cli.say import note
from whetstone_cli.score import score

EXIT_CODES = """Exit codes: 0 done. 1 refused by the platform, or a gate failed. 2 the job failed or was cancelled.
3 could not tell: the platform was not reached, the job has not got that far. 64 the command line is wrong.
130 interrupted."""


class Commands(TyperGroup):
    """Never a traceback for what the platform, the network or a file has done."""

    def main(self, *given: Any, **more: Any) -> Any:  # Any: Typer's
        try:
            return super().main(*given, **more)
        except Ended as end:
            for sentence in filter(None, (end.sentence, end.next_step)):
                note(sentence)
            raise SystemExit(int(end.code)) from None
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise SystemExit(0) from None
        except SystemExit as end:  # Typer says 2 of a wrong command line, which is a failed job here
            raise SystemExit(int(Exit.USAGE) if end.code == 2 else end.code) from None


app = typer.Typer(
    cls=Commands,
    help="Fine-tune models on a Whetstone platform, from a shell or a pipeline.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(login)
app.add_typer(datasets.app, name="datasets")
app.add_typer(evaluators.app, name="evaluators")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
app.command()(evaluate)
app.command()(score)
app.command()(gate)
