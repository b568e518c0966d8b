"""The same operators in Ray actors. The only package that imports Ray."""
