"""Attachments: declared, fetched, judged by their bytes, and read where they can do no harm."""
