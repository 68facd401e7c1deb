//! Conversions of documents.

use sandbox_core::SandboxId;
use sandbox_core::document::ConvertFile;
use sandbox_core::model::Actor;

use super::{Answer, ErrorCode, Service, ServiceError};
use crate::agent::Converted;
use crate::driver::ConvertError;

impl Service {
    /// Converts a document of the workspace, and saves what it became as an artifact.
    ///
    /// # Errors
    ///
    /// `invalid` for what does not become the other, `unavailable` where a program is missing, with its package, and for a
    /// document that takes too long.
    pub async fn convert(&self, id: &SandboxId, file: ConvertFile) -> Answer<Converted> {
        Ok(self.working_driver(id).await?.convert(file, Actor::Api).await?)
    }
}

impl From<ConvertError> for ServiceError {
    fn from(error: ConvertError) -> Self {
        match error {
            ConvertError::Invalid(message) => Self::invalid(message),
            ConvertError::Workspace(error) => error.into(),
            ConvertError::Exec(error) => error.into(),
            ConvertError::Save(error) => error.into(),
            ConvertError::Missing(ref tool) => {
                let hint = format!("apt-get install {}", tool.package);
                Self::new(ErrorCode::Unavailable, error.to_string()).with_hint(hint)
            }
            ConvertError::Late => Self::new(ErrorCode::Unavailable, error.to_string()),
            // The document is at fault, or what its programs make of it.
            ConvertError::Failed(_) => Self::invalid(error.to_string()),
            ConvertError::Interrupted(error) => Self::internal(error),
        }
    }
}
