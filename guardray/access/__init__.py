"""Who may do what: keys and tokens, signatures of requests, roles, and limits. It knows no web framework."""
