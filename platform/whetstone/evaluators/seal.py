"""Secrets at rest: encrypted with a key that is drawn from the platform's own."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from contracts.fault import Fault


def seal(value: str) -> str:
    return _fernet().encrypt(value.encode()).decode()


def unseal(sealed: str, name: str) -> str:
    """Raises Fault secret.unreadable: the platform's secret key has changed since."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Fault("secret.unreadable", secret=name) from None


def _fernet() -> Fernet:
    digest = hashlib.sha256(b"whetstone.secrets:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
