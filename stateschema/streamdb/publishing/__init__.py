"""Publishing: the epochs of a derived collection as events of a stream."""
