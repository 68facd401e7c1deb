//! Many sign-ins at once, from a file of a browser or a password manager.

use sandbox_core::model::{CredentialImport, ImportedCredentials, Secret, SkippedLine};

use super::{check_room_for, csv, entry_of};
use crate::service::{Answer, ErrorCode, Service, ServiceError};

/// Most lines that are told as skipped.
const TOLD: usize = 200;

impl Service {
    /// Saves every valid sign-in of a CSV file. Existing entries stay unchanged.
    ///
    /// # Errors
    ///
    /// `invalid` for a file without the columns, `conflict` while the key file is locked.
    pub async fn import_credentials(&self, asked: CredentialImport) -> Answer<ImportedCredentials> {
        let CredentialImport { csv: Secret(text), rule } = asked;
        let lines = csv::read(&text, rule).map_err(|error| ServiceError::invalid(format!("`csv`: {error}")))?;
        let mut imported = 0;
        let mut skipped = Vec::new();
        let _changing = self.inner.changing_credentials.lock().await;
        // Read once: a file may have thousands of lines.
        let mut all = self.store().all_credentials().await?;
        for line in lines {
            let checked = line.entry.map_err(ServiceError::invalid).and_then(entry_of);
            let checked = checked.and_then(|(entry, values)| check_room_for(&entry, &all).map(|()| (entry, values)));
            match checked {
                Ok((entry, values)) => {
                    self.keep(&entry, &values).await?;
                    all.push(entry);
                    imported += 1;
                }
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
