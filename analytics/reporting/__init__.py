"""Reports: by schedule or on demand, as a page, a PDF and a mail."""
