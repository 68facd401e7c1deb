//! HTTP: thin over the service; adds no rules.
