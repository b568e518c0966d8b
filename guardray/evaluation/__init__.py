"""How well attacks are found, and how often something harmless is told of: measured on labelled logs."""
