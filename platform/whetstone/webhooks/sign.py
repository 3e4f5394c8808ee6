"""Standard Webhooks' signature, as OpenAI's client checks it (https://www.standardwebhooks.com, v1: HMAC-SHA256)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def headers(event: str, body: str, at: int, secrets: Iterable[str]) -> dict[str, str]:
    """`at`: Unix time of this try, in seconds. A receiver is content with the signature of one of the secrets."""
    signed = f"{event}.{at}.{body}".encode()
    signatures = [f"v1,{_signature(secret, signed)}" for secret in secrets]
    return {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
