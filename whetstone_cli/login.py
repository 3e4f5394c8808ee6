"""`whetstone login`."""

from typing import Annotated

import typer

from whetstone_cli.api import Api
from whetstone_cli.place import Place, keep
from whetstone_cli.say import note


def login(
    url: Annotated[str, typer.Option(prompt="Address of the platform", help="Like https://whetstone.example.com.")],
    key: Annotated[
        str, typer.Option(prompt="API key", hide_input=True, help="From the settings page, or manage.py createkey.")
    ],
) -> None:
    """Remember the platform and your key. WHETSTONE_URL and WHETSTONE_API_KEY win over what is remembered."""
    found = Place(url.strip().rstrip("/"), key.strip())
    Api(found).get("/v1/models")
    note(f"Logged in at {found.url}; remembered in {keep(found)}.")
