"""Real traffic as sessions: a proxy, a middleware, HAR files. Redaction comes before anything is written."""
