"""One platform for all rows that need no other: each leaves it healed."""

from collections.abc import Iterator

import pytest

from tests.faults.place import place
from tests.faults.runs import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On SQLite alone, as on a laptop."""
    with place(tmp_path_factory.mktemp("faults"), settings={}) as here:
        yield Bench.at(here)
