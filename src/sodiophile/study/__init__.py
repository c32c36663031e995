"""The study: its TOML schema, the plan, the execution, the store of finished work."""
