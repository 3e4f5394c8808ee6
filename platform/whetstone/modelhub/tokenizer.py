"""A model's tokenizer, for counting alone: no chat template of a model is ever rendered here."""

from functools import lru_cache

from tokenizers import Tokenizer

from whetstone.accounts.models import Team
from whetstone.artifacts.store import find, open_blob
from whetstone.modelhub.models import Model

FILE = "tokenizer.json"


def tokenizer_of(model: Model) -> Tokenizer | None:
    """None for a model that brings no `tokenizer.json`."""
    sha256 = next((file.sha256 for file in model.manifest if file.path == FILE), None)
    return _loaded(model.team, sha256) if sha256 else None


@lru_cache(maxsize=8)
def _loaded(team: Team, sha256: str) -> Tokenizer | None:
    blob = find(team, sha256)
    if blob is None:
        return None
    with open_blob(blob) as file:
        tokenizer = Tokenizer.from_buffer(file.read())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
