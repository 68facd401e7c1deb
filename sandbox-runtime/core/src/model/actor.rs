use super::wire;

wire! {
    /// On whose behalf something was done.
    #[derive(Copy, Eq)]
    pub enum Actor {
        /// The agent, or a playbook.
        Agent,
        /// A person at a live view.
        Person,
        /// A program, over HTTP, MCP or the debugging protocol.
        Api,
        /// The runtime itself.
        System,
    }
}
