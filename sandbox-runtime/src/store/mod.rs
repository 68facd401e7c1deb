//! History: SQLite, one writer thread, a few readers; blobs are files by content hash.
