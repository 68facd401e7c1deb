//! Files beneath one folder, opened by descriptor; never outside it.
