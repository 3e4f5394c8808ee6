"""Soft overlong punishment: a reward falls before the length limit cuts the completion off (DAPO, arXiv:2503.14476)."""

from dataclasses import dataclass, replace

from graders import Grade

PART = "overlong"
"""Name of the penalty among a receipt's parts."""


@dataclass(frozen=True)
class Overlong:
    """Equation 13 of the paper, with L_max = `longest` and L_cache = `buffer`, both in tokens."""

    longest: int
    buffer: int

    @classmethod
    def of_share(cls, longest: int, share: float) -> "Overlong | None":
        """None where the share comes to less than a token."""
        buffer = round(longest * share)
        return cls(longest, buffer) if buffer else None

    def penalty(self, tokens: int) -> float:
        """0 before the buffer, then falling evenly to -1 at the longest length."""
        return -min(1.0, max(0.0, (tokens - (self.longest - self.buffer)) / self.buffer))

    def shape(self, grade: Grade, tokens: int) -> Grade:
        """The grade with the penalty added to its score, and both shown as its parts. What has no score keeps none."""
        if grade.score is None:
            return grade
        penalty = self.penalty(tokens)
        parts = grade.sub or {grade.name: grade}
        return replace(grade, score=grade.score + penalty, sub=parts | {PART: Grade(penalty, PART, PART)})
