"""Durable AI sessions: token chunks to messages, tool calls and approvals, without an engine."""
