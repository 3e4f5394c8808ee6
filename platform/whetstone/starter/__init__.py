"""The starter model: a language model of a million parameters that anybody can train in a minute on a laptop."""
