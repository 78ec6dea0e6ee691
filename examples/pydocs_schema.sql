-- The index of examples/pydocs.py: what is answered, and beside it the words by which it is found.
PRAGMA journal_mode = OFF;
CREATE TABLE entry (number INTEGER PRIMARY KEY, id TEXT UNIQUE, kind TEXT, module TEXT, url TEXT, title TEXT, text TEXT,
    words TEXT, context TEXT, doc TEXT);
CREATE VIRTUAL TABLE found USING fts5(id, words, context, doc, content='entry', content_rowid='number',
    tokenize='porter unicode61');
