"""Real servers for tests, as subprocesses; import the fixtures into a conftest."""
