"""The query language: expressions, builder, IR, optimizer and compiler."""
