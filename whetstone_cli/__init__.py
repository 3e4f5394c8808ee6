"""`whetstone`: the platform from a shell or a pipeline, over its REST API alone."""
