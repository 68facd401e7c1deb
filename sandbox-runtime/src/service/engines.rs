//! The backends that sandboxes can run on, and which of them this machine has.

use std::path::Path;
use std::sync::Arc;

use sandbox_core::model::BackendKind;

use super::{Answer, ErrorCode, ServiceError};
use crate::sandbox::docker::Docker;
use crate::sandbox::local::Local;
use crate::sandbox::{Backend, BackendError};

/// Each backend, or why it cannot be had: history can be read without any.
pub(super) struct Engines {
    local: Answer<Arc<dyn Backend>>,
    docker: Answer<Arc<dyn Backend>>,
}

impl Engines {
    pub fn find(home: &Path) -> Self {
        Self {
            local: Local::find(home).map(|local| Arc::new(local) as Arc<dyn Backend>).map_err(unavailable),
            docker: Docker::new(home).map(|docker| Arc::new(docker) as Arc<dyn Backend>).map_err(unavailable),
        }
    }

    /// Returns the backend of this kind.
    ///
    /// # Errors
    /// `unavailable` where this machine cannot have it, with what mends it.
    pub fn get(&self, kind: BackendKind) -> Answer<Arc<dyn Backend>> {
        match kind {
            BackendKind::Local => self.local.clone(),
            BackendKind::Docker => self.docker.clone(),
        }
    }
}

/// That no sandbox can be started now.
pub(super) fn unavailable(error: BackendError) -> ServiceError {
    match error {
        BackendError::Refused { layer, cause, fix } => {
            ServiceError::new(ErrorCode::Unavailable, format!("{layer}: {cause}")).with_hint(fix)
        }
        BackendError::Io(error) => ServiceError::new(ErrorCode::Unavailable, format!("start a room: {error}")),
    }
}
