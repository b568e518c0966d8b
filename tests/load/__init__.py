"""How many requests a second the API of a real service takes: on demand, since it is no test of right or wrong."""
