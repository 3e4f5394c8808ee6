"""Everything that is reached over HTTP, as a port."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graders.http.addresses import JudgeAddress
from graders.http.cache import AnswerCache
from graders.http.calls import Calls
from graders.http.judges import HttpEmbedders, HttpJudges
from graders.http.services import HttpServices
from graders.port import NOWHERE, Port


def http_port(
    judges: Iterable[JudgeAddress],
    secrets: Mapping[str, str],
    calls: Calls,
    cache: AnswerCache | None = None,
    beside: Port = NOWHERE,
    home: Calls | None = None,
) -> Port:
    """Judges, embedding models and web services, beside what another port reaches. `home` reaches the platform itself,
    for judges that are models of it."""
    by_name = {one.name: one for one in judges}
    return replace(
        beside,
        judges=HttpJudges(by_name, calls, cache, home),
        embedders=HttpEmbedders(by_name, calls, cache),
        services=HttpServices(secrets, calls),
    )
