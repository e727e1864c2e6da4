"""Pages of those who run arenas: parse, call one function, render."""
