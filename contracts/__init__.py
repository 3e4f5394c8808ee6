"""What the platform and its workers say to each other."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

# What a program printed. PostgreSQL keeps no null character, and a log is worth more than its exact bytes.
Printed = Annotated[str, AfterValidator(lambda text: text.replace("\0", "\ufffd"))]


class Contract(BaseModel):
    """A document both sides agree on: unknown fields are refused, and it never changes once made."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )
