"""The service: input without an end, in epochs, whose findings are those of an undisturbed run whatever dies."""
