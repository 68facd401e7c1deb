//! What does a task: the playbook runner (and, in a later issue, the model's loop).
