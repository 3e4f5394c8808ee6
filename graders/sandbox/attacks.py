"""What code tries that wants out. The self-test runs these behind walls before anything else may."""

from graders.sandbox.walls import Walls


def holes(behind: Walls) -> str:
    """What is wrong with these walls, in a few words; empty when they hold."""
    return ""
