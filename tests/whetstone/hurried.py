"""The web process with little patience: `uvicorn tests.whetstone.hurried:application`."""

from whetstone import asgi
from whetstone.api.intake import with_limits

STALL_S = 1.0
asgi._django = with_limits(asgi.Handler(), stall_s=STALL_S)
application = asgi.application
