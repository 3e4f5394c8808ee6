"""Names that people give over the API: what can be read on a line, and found again."""

from typing import Annotated

from django.utils.translation import gettext as _
from pydantic import AfterValidator, Field


def _one_line(name: str) -> str:
    if not name.isprintable():
        raise ValueError(_("A name is one line, without control characters."))
    if not name.strip() or name != name.strip():
        raise ValueError(_("A name neither begins nor ends with a space, and is not empty."))
    return name


def _of_a_dataset(name: str) -> str:
    if set("@/") & set(name):
        raise ValueError(_("The name of a dataset holds no “@” and no “/”: these stand before its version."))
    return name


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
DatasetName = Annotated[
    str, Field(min_length=1, max_length=128), AfterValidator(_one_line), AfterValidator(_of_a_dataset)
]
