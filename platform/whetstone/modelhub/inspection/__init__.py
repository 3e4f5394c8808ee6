"""What a model's files say of themselves, looked at before anything of them is trusted. Nothing here loads a weight."""
