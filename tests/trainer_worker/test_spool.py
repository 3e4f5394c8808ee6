from pathlib import Path

from contracts.event import LogLines, Metrics
from trainer_worker.spool import SpoolReader, SpoolWriter, Tail


def test_events_come_back_once_and_in_order(tmp_path: Path) -> None:
    writer, reader = SpoolWriter(tmp_path / "spool"), SpoolReader(tmp_path / "spool")
    writer.append(Metrics(step=1, values={"loss": 0.5}))
    assert reader.events() == [Metrics(step=1, values={"loss": 0.5})]
    writer.append(LogLines(text="“quoted”\nand broken"))
    assert reader.events() == [LogLines(text="“quoted”\nand broken")]
    assert reader.events() == []


def test_a_torn_last_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    whole = Metrics(step=1, values={"loss": 0.5}).model_dump_json().encode() + b"\n"
    reader = SpoolReader(path)
    path.write_bytes(whole + whole[:10])
    assert len(reader.events()) == 1
    assert reader.events() == []
    path.write_bytes(whole + whole)
    assert len(reader.events()) == 1


def test_a_file_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert SpoolReader(tmp_path / "nothing").events() == []


def test_an_endless_line_is_passed_on_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    tail = Tail(path)
    assert tail.lines(at_most=60) == [b"x" * 60]
    assert tail.lines(at_most=60) == []
