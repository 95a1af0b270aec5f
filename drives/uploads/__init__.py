"""Uploads in chunks: sent in any order, by several at once, over days and interruptions."""
