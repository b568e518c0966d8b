"""Where in the world an address is and whose network it belongs to."""
