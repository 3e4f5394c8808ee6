"""Answers that are files."""

from collections.abc import Sequence
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import stream
from whetstone.artifacts.tar import Entry, length, tar


def download(blob: Blob, filename: str, content_type: str = "application/octet-stream") -> StreamingHttpResponse:
    """The blob's content, a chunk at a time."""
    return _file(StreamingHttpResponse(stream(blob), content_type=content_type), filename, blob.size)


def archive(entries: Sequence[Entry], at: datetime, filename: str) -> StreamingHttpResponse:
    """A tar of these files, made while it is sent."""
    response = StreamingHttpResponse(tar(entries, at), content_type="application/x-tar")
    return _file(response, filename, length(entries, at))


def _file(response: StreamingHttpResponse, filename: str, size: int) -> StreamingHttpResponse:
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return response
