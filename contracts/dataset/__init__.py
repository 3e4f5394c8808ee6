"""Rows of a dataset, which column plays which part, and what the rows can be used for."""

from contracts.dataset.conversation import Message as Message
from contracts.dataset.guess import guess_mapping as guess_mapping
from contracts.dataset.guess import guesses as guesses
from contracts.dataset.mapping import RESERVED as RESERVED
from contracts.dataset.mapping import SERVES as SERVES
from contracts.dataset.mapping import Column as Column
from contracts.dataset.mapping import ColumnMapping as ColumnMapping
from contracts.dataset.mapping import Role as Role
from contracts.dataset.row import PreparedRow as PreparedRow
from contracts.dataset.row import Row as Row
from contracts.dataset.row import labelled as labelled
from contracts.dataset.row import prepare as prepare
from contracts.method import Shape as Shape
