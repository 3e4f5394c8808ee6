"""text_similarity's cosine: how near two texts stand in an embedding model's space."""

import math
from collections.abc import Sequence

from graders.port import Port, Silence, Unreachable, Vector
from graders.receipt import Batch, Flagged, Item, Outcome, Sample
from graders.schema import TextSimilarity
from graders.template import compile_template
from graders.usage import Usage


def cosine(grader: TextSimilarity) -> Batch:
    """The cosine of the angle between both texts' embeddings, from -1 to 1; each different text is embedded once."""
    text, reference = compile_template(grader.input), compile_template(grader.reference)
    model = grader.embedding_model or ""

    def batch(samples: Sequence[Sample], items: Sequence[Item], port: Port) -> list[Outcome]:
        pairs = [_pair(sample, item) for sample, item in zip(samples, items, strict=True)]
        texts = list(dict.fromkeys(one for pair in pairs if isinstance(pair, tuple) for one in pair))
        found = dict(zip(texts, _vectors(model, texts, port), strict=True))
        paid: set[str] = set()
        return [pair if isinstance(pair, Outcome) else _outcome(model, pair, found, paid) for pair in pairs]

    def _pair(sample: Sample, item: Item) -> tuple[str, str] | Outcome:
        try:
            return text(sample, item), reference(sample, item)
        except Flagged as problem:
            return Outcome(0.0, problem.errors)

    return batch


def _vectors(model: str, texts: list[str], port: Port) -> Sequence[Vector | Silence]:
    try:
        if port.embedders is None:
            raise Unreachable(f"The embedding model “{model}” cannot be asked here.")
        return port.embedders.embed(model, texts) if texts else []
    except Unreachable as error:
        return [Silence("model_grader_server_error", str(error)) for _ in texts]


def _outcome(model: str, pair: tuple[str, str], found: dict[str, Vector | Silence], paid: set[str]) -> Outcome:
    left, right = (found[one] for one in pair)
    usage = Usage()
    for text in set(pair) - paid:  # what several samples share is told once
        usage = usage.plus(found[text].usage)
    paid.update(pair)
    for one in (left, right):
        if isinstance(one, Silence):
            return Outcome(None, Flagged(one.flag, one.reason).errors, usage={model: usage})
    assert isinstance(left, Vector)  # as the loop above saw to
    assert isinstance(right, Vector)
    score = _cosine(left.values, right.values)
    if score is None:
        details = f"The embedding model “{model}” gave vectors that cannot be compared."
        return Outcome(None, Flagged("model_grader_parse_error", details).errors, usage={model: usage})
    return Outcome(score, usage={model: usage})


def _cosine(left: list[float], right: list[float]) -> float | None:
    length = math.hypot(*left) * math.hypot(*right)
    if len(left) != len(right) or not 0 < length < math.inf:
        return None
    product = math.fsum(a * b for a, b in zip(left, right, strict=True))
    return min(1.0, max(-1.0, product / length))
