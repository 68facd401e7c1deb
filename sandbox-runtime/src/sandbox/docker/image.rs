//! The image of a room: built from the Dockerfile beside this file, the guest's program in it.

use std::collections::HashMap;
use std::path::Path;

use bollard::query_parameters::BuildImageOptionsBuilder;
use bollard::{Docker as Engine, body_full};
use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};

const DOCKERFILE: &str = include_str!("Dockerfile");
/// Names another image to build on: one of the person's own, or where no registry is reached.
const BASE_VARIABLE: &str = "BATON_DOCKER_BASE";
const DEFAULT_BASE: &str = "debian:bookworm-slim";
const NAME: &str = "baton-room";

/// What an image is made of.
pub struct Recipe {
    base: String,
    guest: Vec<u8>,
    /// Its name: another for each base, Dockerfile and guest.
    pub tag: String,
}

impl Recipe {
    /// Reads the guest's program. Blocks.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(guest: &Path) -> std::io::Result<Self> {
        let base = std::env::var(BASE_VARIABLE).ok().filter(|base| !base.is_empty());
        let (base, guest) = (base.unwrap_or_else(|| DEFAULT_BASE.to_owned()), std::fs::read(guest)?);
        let mut hash = Sha256::new();
        for part in [base.as_bytes(), DOCKERFILE.as_bytes(), &guest] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        let tag = format!("{NAME}:{}", &sandbox_core::hexadecimal(&hash.finalize())[..16]);
        Ok(Self { base, guest, tag })
    }

    /// Builds the image, unless the engine has it. The first build fetches and installs packages, which takes minutes.
    ///
    /// # Errors
    /// What the engine, or a step of the Dockerfile, said.
    pub async fn ensure_built(&self, engine: &Engine) -> Result<(), String> {
        if is_built(engine, &self.tag).await? {
            return Ok(());
        }
        tracing::info!(image = self.tag, base = self.base, "building the image of rooms; the first time takes minutes");
        let arguments = HashMap::from([("BASE", self.base.as_str())]);
        let options =
            BuildImageOptionsBuilder::default().t(&self.tag).buildargs(&arguments).rm(true).forcerm(true).build();
        let context = self.context().map_err(|error| error.to_string())?;
        let mut steps = std::pin::pin!(engine.build_image(options, None, Some(body_full(context.into()))));
        while let Some(step) = steps.try_next().await.map_err(|error| error.to_string())? {
            if let Some(error) = step.error_detail {
                return Err(error.message.unwrap_or_else(|| "a step of its Dockerfile failed".to_owned()));
            }
            if let Some(said) = step.stream {
                tracing::debug!(target: "image", "{}", said.trim_end());
            }
        }
        Ok(())
    }

    /// The folder that the engine builds in, as an archive.
    fn context(&self) -> std::io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, mode, content) in
            [("Dockerfile", 0o644, DOCKERFILE.as_bytes()), ("sandbox-guest", 0o755, self.guest.as_slice())]
        {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(content.len()).map_err(std::io::Error::other)?);
            header.set_mode(mode);
            archive.append_data(&mut header, name, content)?;
        }
        archive.into_inner()
    }
}

/// Returns whether the engine has an image of this name.
pub async fn is_built(engine: &Engine, tag: &str) -> Result<bool, String> {
    match engine.inspect_image(tag).await {
        Ok(_) => Ok(true),
        Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_guest_is_another_image() {
        let folder = tempfile::tempdir().unwrap();
        let tag = |content: &str| {
            let guest = folder.path().join("guest");
            std::fs::write(&guest, content).unwrap();
            Recipe::read(&guest).unwrap().tag
        };
        let first = tag("one");
        assert_eq!(tag("one"), first);
        assert_ne!(tag("two"), first);
    }

    #[test]
    fn the_context_holds_the_dockerfile_and_the_guest_as_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let guest = folder.path().join("guest");
        std::fs::write(&guest, "program").unwrap();
        let context = Recipe::read(&guest).unwrap().context().unwrap();
        let mut archive = tar::Archive::new(context.as_slice());
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.path().unwrap().to_string_lossy().into_owned(), entry.header().mode().unwrap(), entry.size())
            })
            .collect();
        assert_eq!(
            found,
            [("Dockerfile".to_owned(), 0o644, DOCKERFILE.len() as u64), ("sandbox-guest".to_owned(), 0o755, 7)]
        );
    }
}
