"""Answers that are files."""

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from whetstone.artifacts.models import Blob
from whetstone.artifacts.store import stream


def download(blob: Blob, filename: str, content_type: str = "application/octet-stream") -> StreamingHttpResponse:
    """The blob's content, a chunk at a time."""
    response = StreamingHttpResponse(stream(blob), content_type=content_type)
    response["Content-Length"] = str(blob.size)
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    return response
