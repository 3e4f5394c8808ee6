"""Judges, embedding models and web services over HTTP: guarded, paced, tried again, remembered.

judge = JudgeAddress("gpt-4o", "https://api.openai.com/v1", "gpt-4o", key=key)
port = http_port([judge], {}, Calls(), AnswerCache(Path("judges.sqlite3")))
grade(grader, samples, items, port)
"""

from graders.http.addresses import JudgeAddress
from graders.http.cache import AnswerCache
from graders.http.calls import PATIENT_TRIES, Calls
from graders.http.guard import Allowed
from graders.http.port import http_port

__all__ = ["PATIENT_TRIES", "Allowed", "AnswerCache", "Calls", "JudgeAddress", "http_port"]
