"""Answers that are files."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from django.db import connection
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import stream
from whetstone.artifacts.tar import Entry, length, tar

_REST = re.compile(r"bytes=(\d{1,18})-")


def download(blob: Blob, filename: str, content_type: str = "application/octet-stream") -> StreamingHttpResponse:
    """The blob's content, a chunk at a time."""
    return _file(StreamingHttpResponse(stream(blob), content_type=content_type), filename, blob.size)


def resumable(request: HttpRequest, blob: Blob, filename: str) -> StreamingHttpResponse:
    """The same, for a caller who may hold its first bytes already: `Range: bytes=N-`, and no other kind of range."""
    found = _REST.fullmatch(request.headers.get("range", ""))
    first = int(found[1]) if found else 0
    if not 0 < first < blob.size:
        answer = download(blob, filename)
    else:
        answer = StreamingHttpResponse(stream(blob, first), status=206, content_type="application/octet-stream")
        answer["Content-Range"] = f"bytes {first}-{blob.size - 1}/{blob.size}"
        _file(answer, filename, blob.size - first)
    answer["Accept-Ranges"] = "bytes"
    return answer


def archive(entries: Sequence[Entry], at: datetime, filename: str) -> StreamingHttpResponse:
    """A tar of these files, made while it is sent."""
    response = StreamingHttpResponse(tar(entries, at), content_type="application/x-tar")
    return _file(response, filename, length(entries, at))


def event_stream(lines: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Server-sent events of a view that is not asynchronous. They last, and hold no connection to the database."""
    if not connection.in_atomic_block:
        connection.close()
    return unbuffered(lines)


def unbuffered(lines: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """Server-sent events, which nothing in between may hold back."""
    response = StreamingHttpResponse(lines, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


def _file(response: StreamingHttpResponse, filename: str, size: int) -> StreamingHttpResponse:
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return response
