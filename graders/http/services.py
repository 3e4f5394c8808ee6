"""Web services that grade, reached over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from graders.http.calls import Calls, Failed
from graders.port import Json, Reply, Service, Silence, Unreachable
from graders.schema import SECRET

AT_ONCE = 32


@dataclass(frozen=True)
class HttpServices:
    """Puts secrets into the headers. What a service answers is not remembered: it may know more next time."""

    secrets: Mapping[str, str] = field(repr=False)
    calls: Calls

    def post(self, service: Service, bodies: Sequence[Json]) -> list[Reply | Silence]:
        """As graders.Services says."""
        headers = {name: self._filled(value) for name, value in service.headers.items()}
        place = urlsplit(service.url).netloc
        pace = self.calls.pace(service.url, service.max_rps)

        def post_one(body: Json) -> Reply:
            return Reply(self.calls.post(service.url, headers, body, service.timeout_s, pace))

        found = self.calls.each(post_one, bodies, service.url, AT_ONCE)
        return [_silence(place, one) if isinstance(one, Failed) else one for one in found]

    def _filled(self, value: str) -> str:
        for name in SECRET.findall(value):
            if name not in self.secrets:
                raise Unreachable(f"There is no secret “{name}” here.")
        return SECRET.sub(lambda found: self.secrets[found[1]], value)


def _silence(place: str, failed: Failed) -> Silence:
    return Silence("unresponsive_reward_error", f"The web service at {place} gave no score: {failed}")
