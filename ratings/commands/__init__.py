"""One module a command: `add` tells the parser, and what it sets as `run` turns a file of votes into an output."""
