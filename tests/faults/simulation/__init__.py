"""A sweep with all that can go wrong, in one process and without waiting: its driver, runner and run folder are real.

Made up are the clock, the processes that train and measure, messages, results.db and the disk; what they do, and when,
follows from a seed. `python -m tests.faults.simulation 1234` replays one.
"""
