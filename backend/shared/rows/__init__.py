"""Rows of data sets: read strictly from files, normalised, split and stored."""
