"""What a study declares before its first run: against which arm, by what, from what size on, and when it looks."""
