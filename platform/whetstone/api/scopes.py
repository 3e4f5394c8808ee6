"""Which scope each route asks of a key. Reading takes “read”; what changes something, or costs something, is listed."""

from whetstone.accounts.models import Scope

READING = frozenset({"GET", "HEAD", "OPTIONS"})
WRITING: dict[str, Scope] = {
    "v1/files": Scope.FILES,
    "v1/uploads": Scope.FILES,
    "v1/fine_tuning/checkpoints": Scope.ADMIN,
    "v1/fine_tuning/jobs": Scope.JOBS,
    "v1/models": Scope.JOBS,
    "v1/chat": Scope.JOBS,
    "v1/completions": Scope.JOBS,
    "v1/fine_tuning/alpha/graders/validate": Scope.READ,
    "v1/fine_tuning/alpha/graders/run": Scope.JOBS,
    "api/v1/conversations": Scope.JOBS,
    "api/v1/datasets": Scope.FILES,
    "api/v1/evaluations": Scope.JOBS,
    "api/v1/evaluations/check": Scope.READ,
    "api/v1/deployments": Scope.JOBS,
    "api/v1/evaluators": Scope.JOBS,
    "api/v1/imports": Scope.JOBS,
    "api/v1/labels": Scope.JOBS,
    "api/v1/labels/publish": Scope.FILES,
    "api/v1/merges": Scope.JOBS,
    "api/v1/models": Scope.READ,
    "api/v1/scores": Scope.JOBS,
    "api/v1/suites": Scope.FILES,
    "api/v1/graders": Scope.JOBS,
    "api/v1/graders/check": Scope.READ,
    "api/v1/jobs": Scope.JOBS,
    "api/v1/jobs/check": Scope.READ,
    "api/v1/judges": Scope.ADMIN,
    "api/v1/keys": Scope.ADMIN,
    "api/v1/secrets": Scope.ADMIN,
    "api/v1/webhooks": Scope.ADMIN,
    "v1/webhook_endpoints": Scope.ADMIN,
}
"""By the beginning of a route; the longest one that fits counts. A grader that is run may ask judges that cost money,
and run code: that takes more than a key that only reads. Looking whether a grader or a draft is right costs nothing,
nor does a chat template that is rendered."""


WHOLLY = frozenset({"v1/fine_tuning/checkpoints", "api/v1/keys"})
"""Where looking takes the same scope: OpenAI asks for an administrator's key there, too."""


def scope_of(method: str, route: str) -> Scope:
    """What nobody has thought of yet is for administrators."""
    if method in READING and rule_of(route) not in WHOLLY:
        return Scope.READ
    return WRITING.get(rule_of(route) or "", Scope.ADMIN)


def rule_of(route: str) -> str | None:
    return max((rule for rule in WRITING if f"{route}/".startswith(f"{rule}/")), key=len, default=None)
