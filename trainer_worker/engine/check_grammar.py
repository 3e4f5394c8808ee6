"""Whether a grammar can be held to, in a process that may be killed: some patterns take for ever, and no thread ends.

Reads the grammar, and says what is wrong with it. Nothing: it can.
"""

import resource
import sys

from llguidance import LLMatcher

MEMORY = 2 << 30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    is_wrong, said = LLMatcher.validate_grammar_with_warnings(sys.stdin.read())
    print(said[0] if is_wrong else "")


if __name__ == "__main__":
    main()
