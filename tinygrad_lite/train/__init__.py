"""Training a network on a table: what the command line does, as functions."""
