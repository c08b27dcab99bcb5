"""Replay: a recorded session, played into the live views and shown in the terminal."""
