"""Texts as words."""

import re

# Chinese and Japanese are written without spaces: each of their characters counts as a word.
_ALONE = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")


def spaced(text: str) -> str:
    """The same text with blanks around every character that is a word of its own."""
    return text if text.isascii() else _ALONE.sub(r" \1 ", text)


def words(text: str) -> list[str]:
    """What stands between blanks, punctuation included, and each Chinese or Japanese character."""
    return spaced(text).split()
