"""Keyed state of accounts and resources as plain classes: windows, known events, configurations, interfaces."""
