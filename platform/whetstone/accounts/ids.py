"""Names of things in URLs and in the API: a prefix that says what it is, and 24 random characters."""

import secrets

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str) -> str:
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(24))
