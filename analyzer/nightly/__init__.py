"""The nightly job: what is new in logs and counters becomes a report, history and alerts.

`job.py` is the order of things, `settings.py` what pg95.toml says of it; `outputs.py`, `metrics.py`
and `alerts.py` write what others read, `sending.py` brings alerts to people.
"""
