"""The harness: spec → cells → run → records."""
