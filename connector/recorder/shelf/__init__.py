"""Where the book's rows stand in a store: what is in a row, how two workers' counts become one, and how many may be."""
