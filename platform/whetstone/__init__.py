"""Whetstone: the platform. Web pages, REST API and the truth about every job."""
