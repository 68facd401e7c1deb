//! Where a sandbox may go: a function of configuration, name and address. Egress resolves and dials; this decides.
