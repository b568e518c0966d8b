"""The way of findings to people and other programs: destinations, and a publisher that sends until they have them."""
