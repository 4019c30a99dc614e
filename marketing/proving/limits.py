"""What the proof of periodic tasks holds the engine to."""

# Every task starts at a second of its own within so long after nine.
WINDOW_S = 900
PEAK_PER_S = 60
LATE_S = 10
GROWTH_MB = 50
LEASE_S = 20
