"""The training process goes on without asking whether its lease still holds."""

from types import ModuleType

from tests.faults.mutants.patching import when_imported


def change(orders: ModuleType) -> None:
    orders.OrderBook.when_held = lambda book: book.now().order


when_imported("trainer_worker.orders", change)
