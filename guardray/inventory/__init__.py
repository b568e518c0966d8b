"""What of ours an address or an interface is: the instance behind it, at a time."""
