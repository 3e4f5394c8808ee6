"""The frontend's tests draw the contracts as they are now."""

import runpy
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "frontend" / "tests" / "fixtures"


def test_the_frontend_tests_know_todays_schemas() -> None:
    """When this fails: `python frontend/tests/fixtures/schemas.py`."""
    as_text = runpy.run_path(str(FIXTURES / "schemas.py"))["as_text"]
    assert (FIXTURES / "schemas.json").read_text(encoding="utf-8") == as_text()
