//! Many sign-ins at once, from a file of a browser or a password manager.

use sandbox_core::model::{CredentialImport, ImportedCredentials, Secret, SkippedLine};

use super::csv;
use crate::service::{Answer, ErrorCode, Service, ServiceError};

/// Most lines that are told as skipped.
const TOLD: usize = 200;

impl Service {
    /// Saves every sign-in of a CSV file that can be one; what is there already stays as it is.
    ///
    /// # Errors
    ///
    /// `invalid` for a file without the columns, `conflict` while the key file is locked.
    pub async fn import_credentials(&self, asked: CredentialImport) -> Answer<ImportedCredentials> {
        let CredentialImport { csv: Secret(text), rule } = asked;
        let lines = csv::read(&text, rule).map_err(|error| ServiceError::invalid(format!("`csv`: {error}")))?;
        let mut imported = 0;
        let mut skipped = Vec::new();
        for line in lines {
            let saved = match line.entry {
                Ok(entry) => self.create_credential(entry).await,
                Err(why) => Err(ServiceError::invalid(why)),
            };
            match saved {
                Ok(_) => imported += 1,
                Err(error) if is_of_the_line(&error) => {
                    skipped.push(SkippedLine { line: line.number, why: error.message });
                }
                Err(error) => return Err(error),
            }
        }
        let n_skipped = skipped.len() as u64;
        skipped.truncate(TOLD);
        Ok(ImportedCredentials { imported, n_skipped, skipped })
    }
}

/// Whether only this line cannot be saved: it is no entry, or it is there already.
fn is_of_the_line(error: &ServiceError) -> bool {
    let is_there = error.details.as_ref().is_some_and(|details| details["status"] == "exists");
    error.code == ErrorCode::Invalid || (error.code == ErrorCode::Conflict && is_there)
}
