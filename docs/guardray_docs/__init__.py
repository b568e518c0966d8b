"""Writes the generated parts of this documentation: `make docs`. They are checked for being current by the tests."""
