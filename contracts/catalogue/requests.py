"""What is wrong with a request, or with who sends it."""

from contracts.catalogue.entry import Entry

REQUESTS: dict[str, Entry] = {
    "request.invalid": ("user", "{detail}", "Correct the field and send it again."),
    "request.not_json": ("user", "This is not JSON: {detail}", "Send a JSON object."),
    "webhook.not_found": (
        "user",
        "There is no webhook endpoint “{endpoint}” here.",
        "It may have been deleted: look under Settings, or list them at /v1/webhook_endpoints.",
    ),
    "webhook.unreachable": (
        "user",
        "Nobody answered at {url}: {detail}.",
        "Look whether it is up. An address of your own network has to be named in WHETSTONE_PRIVATE_HOSTS.",
    ),
    "auth.missing": ("user", "No API key was given.", "Send the header “Authorization: Bearer <key>”."),
    "auth.invalid": ("user", "This API key is not valid.", "Make a new key under Settings."),
    "auth.expired": ("user", "This API key expired on {at}.", "Make a new key under Settings."),
    "auth.revoked": ("user", "This API key was revoked on {at}.", "Make a new key under Settings."),
    "auth.scope_missing": (
        "user",
        "This takes an API key with the scope “{scope}”, and this one has: {scopes}.",
        "Make a key with that scope under Settings.",
    ),
    "auth.scope_exceeded": (
        "user",
        "This API key cannot give a scope that it lacks itself: {beyond}.",
        "Ask for some of these: {scopes}.",
    ),
    "key.not_found": (
        "user",
        "There is no API key {key} here.",
        "It may have been deleted: look under Settings, or list them at /api/v1/keys.",
    ),
    "rate.exceeded": (
        "user",
        "This key may send {limit} requests a minute, and has.",
        "Wait {seconds} seconds. Lists bring many rows in one request, and a stream of events replaces asking again.",
    ),
    "replay.other_request": (
        "user",
        "The idempotency key “{key}” was used for another request.",
        "Draw a new key for each request, and repeat one only with the very same address and body.",
    ),
    "replay.in_progress": (
        "user",
        "The request with the idempotency key “{key}” is still being answered.",
        "Wait a second and send it again: then it gets the same answer.",
    ),
}
