"""Who may do what: accounts, sessions, the access table."""
