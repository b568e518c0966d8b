"""Models of what is usual: they fit, they score, they say why, and a registry keeps them."""
