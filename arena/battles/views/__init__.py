"""Pages and actions of a battle: parse, call one function, answer with the stage's fragment or a redirect."""
