"""Pages as somebody who is logged in gets them."""

import json
import re
from typing import Any

from django.test import Client

from tests.whetstone.factories import make_user
from whetstone.accounts.models import User


def browser(user: User | None = None) -> Client:
    client = Client()
    client.force_login(user or make_user())
    return client


def page_data(html: str, name: str) -> Any:
    """What a custom element on the page begins with."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])
