//! A task written as steps, run without a model.
