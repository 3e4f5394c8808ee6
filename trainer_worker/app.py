"""The Celery app: `python -m celery -A trainer_worker.app worker`. A wake-up is a hint; the platform has the truth.

No Celery setting gives exactly one execution of tasks that last for hours (docs/architecture.md). So a message only
says “look”, is acknowledged before, and may be lost or come twice.
"""

import logging
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_init, worker_shutdown, worker_shutting_down

from contracts.queue import WAKE_TASK, WakeUp, queue_of
from trainer_worker.broker import use_for_sqlite
from trainer_worker.launching import LauncherDied
from trainer_worker.logs import write_json
from trainer_worker.scratch import ScratchTaken
from trainer_worker.settings import Settings
from trainer_worker.worker import Worker

settings = Settings.from_environment()
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would name every request
use_for_sqlite()

# No fixups: with DJANGO_SETTINGS_MODULE in the environment Celery would import Django.
app = Celery("trainer_worker", broker=settings.broker_url, fixups=[])
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=False,
    task_default_queue=queue_of(settings.pool),
    task_create_missing_queues=True,
    worker_pool="solo",
    worker_concurrency=1,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=settings.broker_url.startswith(("redis", "sentinel")),
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
)


class Shift:
    """The one worker of this process, from its start to its end."""

    worker: Worker | None = None
    signals: frozenset[str] = frozenset()
    """Which signals have asked for its end."""


@worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def begin(**_: Any) -> None:  # Any: whatever the signal brings
    try:
        worker = Worker(settings)
        worker.start()
    except (LauncherDied, ScratchTaken) as error:
        raise SystemExit(f"This worker cannot train, because {error}") from error
    Shift.worker = worker


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop(sig: str = "SIGTERM", how: str = "Warm", **_: Any) -> None:
    """A first signal drains. The same again, or SIGQUIT, ends at once."""
    if Shift.worker is None:
        return
    if how == "Cold" or sig in Shift.signals:
        Shift.worker.stop_at_once()
    Shift.signals |= {sig}
    Shift.worker.stop()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def end(**_: Any) -> None:
    if Shift.worker is not None:
        Shift.worker.stop()
        Shift.worker.join()


def be_quiet(instance: Any, **_: Any) -> None:  # Any: as Celery has it
    """Celery greets people with a drawing."""
    instance.quiet = True


def keep_the_form(loglevel: int, **_: Any) -> None:
    """Where somebody listens here, Celery leaves the logs as they are."""
    logging.getLogger().setLevel(loglevel)


if settings.log == "json":
    write_json()
    celeryd_init.connect(be_quiet)
    setup_logging.connect(keep_the_form)


@app.task(name=WAKE_TASK)  # type: ignore[untyped-decorator]
def wake(job: str) -> None:
    """There may be work: look until there is none left."""
    WakeUp(job=job)
    if Shift.worker is not None:
        Shift.worker.wake()
