"""GSM8K: word problems whose solution ends in “#### 18” (Cobbe et al., arXiv:2110.14168)."""

from pydantic import JsonValue

from whetstone.suites.task import Row, Task, Unreadable, text_in

MARK = "####"
ASKED = "{question}\n\nThink step by step. End with a line that holds {mark} and the number alone."
GRADER: dict[str, JsonValue] = {"type": "number", "name": "gsm8k", "reference": "{{ item.answer }}"}


def read(row: Row) -> Task:
    """`question` and `answer`, as the published JSONL and parquet files have them. Raises Unreadable."""
    question, solution = text_in(row, "question"), text_in(row, "answer")
    _, mark, number = solution.rpartition(MARK)
    if not mark or not number.strip():
        raise Unreadable(f"the answer has no number after {MARK}")
    return Task(ASKED.format(question=question, mark=MARK), _without_notes(solution), {"answer": number.strip()})


def _without_notes(solution: str) -> str:
    """The published solutions carry a calculator's notes, like <<16-3=13>>, which nobody writes."""
    text, rest = "", solution
    while "<<" in rest:
        before, _, rest = rest.partition("<<")
        text, (_, _, rest) = text + before, rest.partition(">>")
    return text + rest
