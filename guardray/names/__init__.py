"""What a domain's name looks like: how likely a program made it up."""
