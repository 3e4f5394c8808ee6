"""A grade as OpenAI's `POST /fine_tuning/alpha/graders/run` answers it."""

from typing_extensions import TypedDict  # Pydantic reads no other before Python 3.12

from graders.receipt import Evidence, Grade
from graders.usage import Usage

# Every key that OpenAI's reference or a real answer of its API has (openai-rft-quickstart), the quiet ones included.
FLAGS = (
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
    "model_grader_exceeded_max_tokens_error",
    "endpoint_grader_internal_error",
    "endpoint_grader_server_error",
    "endpoint_grader_safety_check_error",
)
DETAILS = (
    "sample_parse_error_details",
    "invalid_variable_error_details",
    "other_error_details",
    "formula_parse_error_details",
    "python_grader_server_error_type",
    "python_grader_server_error_details",
    "python_grader_runtime_error_details",
    "model_grader_server_error_details",
    "model_grader_refusal_error_details",
    "model_grader_parse_error_details",
    "endpoint_grader_internal_error_details",
    "endpoint_grader_server_error_details",
)


class Tokens(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int


class RunMetadata(TypedDict):
    name: str
    type: str
    errors: dict[str, bool | str | None]
    execution_time: float
    scores: dict[str, float]
    token_usage: Tokens | None
    sampled_model_name: str | None
    evidence: Evidence | None


class RunResponse(TypedDict):
    """What is not scored has a reward of 0, with its flags in `metadata.errors`; `scored` says which 0 it is."""

    reward: float
    scored: bool
    metadata: RunMetadata
    sub_rewards: dict[str, float]
    model_grader_token_usage_per_model: dict[str, Tokens]


def run_response(grade: Grade, execution_time_s: float) -> RunResponse:
    """What is not scored has a reward of 0 there, with its flags; `scored` is ours and says which 0 it is."""
    rewards = {name: part.score or 0.0 for name, part in grade.sub.items()}
    usage = grade.usage or {}
    total = Usage()
    for used in usage.values():
        total = total.plus(used)
    errors = dict.fromkeys(FLAGS, False) | dict.fromkeys(DETAILS) | grade.errors
    return {
        "reward": grade.score or 0.0,
        "scored": grade.score is not None,
        "metadata": {
            "name": grade.name,
            "type": grade.type,
            "errors": {**errors},
            "execution_time": execution_time_s,
            "scores": {**rewards},
            "token_usage": _tokens(total) if usage else None,
            "sampled_model_name": next(iter(usage), None),
            "evidence": grade.evidence,
        },
        "sub_rewards": {**rewards},
        "model_grader_token_usage_per_model": {model: _tokens(used) for model, used in usage.items()},
    }


def _tokens(usage: Usage) -> Tokens:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
    }
