"""The embedded stack: database, Valkey, workers and web server of one machine, started and stopped in order."""
