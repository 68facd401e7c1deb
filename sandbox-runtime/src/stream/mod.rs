//! Viewers: WebSocket and WebRTC (WHEP); operator input.
