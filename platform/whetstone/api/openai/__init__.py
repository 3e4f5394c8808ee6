"""The REST surface that OpenAI's client speaks, under `/v1`."""
