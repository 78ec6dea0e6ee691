"""Recording real traffic as sessions: a proxy, a middleware and HAR files, with redaction before anything is written."""
