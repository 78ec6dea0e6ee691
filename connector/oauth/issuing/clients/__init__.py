"""Who asks for keys: registered, described by a document, or known beforehand; and where answers to them may go."""
