"""The program in the jail. Standard library only: it runs where nothing else of ours can be seen."""
