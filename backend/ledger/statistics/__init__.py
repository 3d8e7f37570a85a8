"""What can be learned from stored rows without training anything: pure functions of arrays."""
