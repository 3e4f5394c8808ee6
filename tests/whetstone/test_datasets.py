"""Files that come in: read line by line, named when broken, mapped into versions that never change."""

import tracemalloc
from pathlib import Path

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from contracts.dataset import Column, prepare
from contracts.fault import Fault
from contracts.method import METHODS
from tests.whetstone.factories import CHATS, PROMPTS, jsonl, make_dataset, make_team, make_user
from whetstone.artifacts.models import Blob
from whetstone.datasets.ingest import ingest
from whetstone.datasets.lines import read_rows
from whetstone.datasets.models import Dataset
from whetstone.datasets.remap import map_columns
from whetstone.datasets.serves import why_not

GSM = [{"question": f"How much is {n} and {n}?", "answer": f"We add.\n#### {2 * n:,}"} for n in range(2500)]


def test_a_file_with_messages_needs_no_mapping() -> None:
    version = make_dataset(CHATS)
    assert (version.shape, version.rows, version.number) == ("chat", 20, 1)
    assert make_dataset(PROMPTS, name="prompts").shape == "prompt"


def test_the_same_name_makes_the_next_version() -> None:
    make_dataset(CHATS)
    assert make_dataset(CHATS[:3]).number == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "not JSON"),
        (b"[1, 2]", "not an object"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": "\xff\xfe"}', "not JSON"),
        (b"{}", "0 columns"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_line_is_named_and_nothing_stays_behind(line: bytes, reason: str, home: Path) -> None:
    content = jsonl(PROMPTS[:2]) + line + b"\n" + jsonl(PROMPTS[:1])
    with pytest.raises(Fault) as caught:
        make_dataset(content)
    assert caught.value.report.params["line"] == 3
    assert reason in str(caught.value)
    assert not Dataset.objects.exists()
    assert not Blob.objects.exists()
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(Fault, match="no rows"):
        make_dataset(content or b"\n")


def test_crlf_bom_and_blank_lines_are_read() -> None:
    content = b"\xef\xbb\xbf" + jsonl(PROMPTS[:2]).replace(b"\n", b"\r\n\r\n")
    assert make_dataset(content).rows == 2


def test_unknown_columns_wait_for_a_mapping() -> None:
    version = make_dataset(GSM, name="gsm")
    assert version.shape == ""
    assert why_not(version.shape, METHODS["grpo"])


def test_a_mapping_makes_the_next_version_and_leaves_the_old_one() -> None:
    version = make_dataset(GSM, name="gsm")
    columns = (Column(name="question", role="prompt"), Column(name="answer", role="reference", after="####"))
    mapped = map_columns(make_user(), version, columns)
    assert (mapped.number, mapped.shape, mapped.blob_id) == (2, "prompt", version.blob_id)
    assert mapped.item_names == ("question", "answer", "reference")
    row = prepare(read_rows(mapped, 700, 1)[0], mapped.column_mapping)
    assert row.item["reference"] == "1,400"
    assert row.prompt[0].content == "How much is 700 and 700?"
    version.refresh_from_db()
    assert version.shape == ""


def test_a_mapping_that_a_row_does_not_keep_names_the_row() -> None:
    rows = [*GSM[:5], {"question": "And now?", "answer": "no marker"}]
    version = make_dataset(rows, name="gsm")
    with pytest.raises(Fault) as caught:
        map_columns(make_user(), version, (Column(name="question", role="prompt"), Column(name="answer", after="####")))
    assert caught.value.report.params["row"] == 6


def test_a_mapping_of_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(Fault, match="no column"):
        map_columns(make_user(), make_dataset(GSM, name="gsm"), (Column(name="prompt", role="prompt"),))


def test_any_row_is_found_without_reading_the_file() -> None:
    version = make_dataset(GSM, name="gsm")
    assert [row["question"] for row in read_rows(version, 1999, 2)] == [GSM[1999]["question"], GSM[2000]["question"]]
    assert len(read_rows(version, 2499, 50)) == 1
    assert read_rows(version, 2500, 50) == []


def test_a_large_upload_takes_little_memory() -> None:
    line = jsonl([{"messages": [{"role": "user", "content": "x" * 20_000}], "answer": "1"}])
    with TemporaryUploadedFile("large.jsonl", "application/jsonl", 0, None) as upload:
        for _ in range(2500):
            upload.write(line)
        upload.seek(0)
        tracemalloc.start()
        version = ingest(make_user(), make_team(), upload, name="large")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert version.statistics["bytes"] > 50_000_000
    assert peak < 12_000_000


def test_duplicates_are_counted() -> None:
    assert make_dataset([*PROMPTS, PROMPTS[0]]).statistics["duplicates"] == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"answer": "1"}, "not a list of messages"),
        ({"messages": []}, "not a list of messages"),
        ({"messages": "hello"}, "not a list of messages"),
        ({"messages": [{"role": "nobody", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": "x"}], "tools": [{}]}, "tools are not supported yet"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no turn"),
    ],
)
def test_a_conversation_that_cannot_be_read_is_named_before_a_job_meets_it(row: dict[str, object], reason: str) -> None:
    with pytest.raises(Fault, match=reason) as caught:
        make_dataset(jsonl([*PROMPTS[:2], row]))
    assert caught.value.report.params["line"] == 3


def test_conversations_that_begin_in_the_middle_of_a_file_are_refused() -> None:
    with pytest.raises(Fault, match="Line 3"):
        make_dataset(jsonl([{"a": 1}, {"a": 2}, PROMPTS[0]]))


def test_a_file_whose_every_line_has_other_columns_is_refused_while_memory_is_flat() -> None:
    with pytest.raises(Fault, match="Line 201: a new column"):
        make_dataset(jsonl({f"id{n}": n} for n in range(100_000)))


@pytest.mark.parametrize("name", ["a\0b", "x" * 257])
def test_a_column_whose_name_no_database_keeps_is_refused(name: str) -> None:
    with pytest.raises(Fault, match="Line 1"):
        make_dataset(jsonl([{name: 1}]))


def test_a_page_of_very_large_rows_is_cut_short() -> None:
    version = make_dataset(jsonl([{"text": "x" * 10_000_000} for _ in range(6)]), name="large")
    assert len(read_rows(version, 0, 500)) == 3
    assert len(read_rows(version, 5, 500)) == 1


def test_columns_are_not_guessed_when_a_row_does_not_keep_the_guess() -> None:
    rows = [{"prompt": "1+1", "completion": "2"}, {"prompt": "2+2", "completion": None}]
    assert make_dataset(jsonl(rows[:1]), name="whole").shape == "chat"
    assert make_dataset(jsonl(rows), name="holes").shape == ""


def test_a_mapping_of_a_dataset_that_was_deleted_meanwhile_is_refused() -> None:
    version = make_dataset(GSM[:3], name="gsm")
    Dataset.objects.all().delete()
    version.blob.refresh_from_db()
    with pytest.raises(Fault, match="no dataset"):
        map_columns(make_user(), version, (Column(name="question", role="prompt"),))
