"""One file a family of graders. Each turns a grader into a function that judges."""
