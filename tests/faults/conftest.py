"""One platform for a module's rows: each row leaves it healed."""

from collections.abc import Iterator

import pytest

from tests.faults.place import place
from tests.faults.runs import Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On SQLite alone, as on a laptop."""
    with place(tmp_path_factory.mktemp("faults")) as here:
        yield Bench.at(here)
