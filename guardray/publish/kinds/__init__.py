"""One module a kind of destination: what its entry in the file may say, and how it sends."""
