"""Claims packs and sees them through in a trainer process: leases, cancellation, limits, records of what happens."""
