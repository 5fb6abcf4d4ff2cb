"""From a Recording to a Workload: one set of executions, statements, requests and figures."""
