"""One function view an action: thin, they call operations and render."""
