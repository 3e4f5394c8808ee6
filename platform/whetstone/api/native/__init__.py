"""What OpenAI has no word for, under `/api/v1`."""
