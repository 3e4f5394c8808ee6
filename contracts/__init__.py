"""What the platform and its workers say to each other."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A document both sides agree on: unknown fields are refused, and it never changes once made."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
