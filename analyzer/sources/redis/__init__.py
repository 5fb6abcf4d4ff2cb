"""What Redis tells of a cache: INFO, a sample of MONITOR, and the application's own log of reads."""
