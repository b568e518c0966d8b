"""A real service under a steady load, for as long as one likes."""
