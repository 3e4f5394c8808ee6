"""Collecting every problem instead of stopping at the first."""

from contracts.fault import Fault, FaultReport


class noting:
    """Turns a Fault raised inside into one of the reports."""

    def __init__(self, reports: list[FaultReport]) -> None:
        self.reports = reports

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Fault):
            self.reports.append(error.report)
            return True
        return False
