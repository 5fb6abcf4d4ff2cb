"""What is to be said of answers of the cache of statement texts that were checked."""

from analyzer.model.recording import Recording


def note_checks(recording: Recording) -> None:
    """How the cache of statement texts held when some of its answers were checked."""
    keys, coverage = recording.keys, recording.coverage
    coverage.keys_checked, coverage.keys_disagreed = keys.checked, keys.disagreed
    if keys.disagreed:
        coverage.warnings.append(
            f"{keys.disagreed} of {keys.checked} statements that were looked up by their text without "
            "literals have another fingerprint than the one they were counted under; please report it"
        )
