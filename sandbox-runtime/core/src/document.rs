//! Which document becomes which, and by what.
//!
//! Owns the table of conversions; leaves carrying them out to the room, where hostile documents are taken apart.

use serde::{Deserialize, Serialize};

/// Arguments of `convert`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConvertFile {
    /// Path of a file in the workspace. Its ending says what it is.
    pub path: String,
    /// What it becomes.
    pub to: Target,
    /// Path of the result in the workspace; an existing file is replaced. Default: the same path with the new ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// What a document becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    Pdf,
    Docx,
    Html,
    Md,
    /// One picture for each page.
    Png,
    Txt,
}

/// How a document is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// A page is printed by Chromium.
    PrintPage,
    /// A picture is put on a page that is printed.
    PrintPicture,
    /// Markdown becomes a page that is printed.
    PrintMarkdown,
    /// Pandoc reads one of these and writes the other.
    Pandoc { from: &'static str, to: &'static str },
    /// LibreOffice prints it.
    Office,
    /// Values separated by commas, which LibreOffice is told to expect.
    OfficeValues,
    /// Poppler draws its pages.
    DrawPages,
    /// Poppler reads its text.
    ReadText,
}

const OFFICE: &[&str] = &["docx", "doc", "odt", "rtf", "xlsx", "xls", "ods", "pptx", "ppt", "odp"];
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp"];

impl Target {
    /// Returns the ending of a file of this kind.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Md => "md",
            Self::Png => "png",
            Self::Txt => "txt",
        }
    }
}

impl ConvertFile {
    /// Returns how it is done.
    ///
    /// # Errors
    ///
    /// Documents that do not become this, in words.
    pub fn recipe(&self) -> Result<Recipe, String> {
        let ending = ending(&self.path).to_lowercase();
        let recipe = match (ending.as_str(), self.to) {
            ("html" | "htm", Target::Pdf) => Recipe::PrintPage,
            ("md" | "markdown", Target::Pdf) => Recipe::PrintMarkdown,
            ("csv", Target::Pdf) => Recipe::OfficeValues,
            (picture, Target::Pdf) if PICTURES.contains(&picture) => Recipe::PrintPicture,
            (office, Target::Pdf) if OFFICE.contains(&office) => Recipe::Office,
            ("md" | "markdown", Target::Docx) => Recipe::Pandoc { from: "gfm", to: "docx" },
            ("html" | "htm", Target::Docx) => Recipe::Pandoc { from: "html", to: "docx" },
            ("docx", Target::Md) => Recipe::Pandoc { from: "docx", to: "gfm" },
            ("docx", Target::Html) => Recipe::Pandoc { from: "docx", to: "html5" },
            ("md" | "markdown", Target::Html) => Recipe::Pandoc { from: "gfm", to: "html5" },
            ("html" | "htm", Target::Md) => Recipe::Pandoc { from: "html", to: "gfm" },
            ("pdf", Target::Png) => Recipe::DrawPages,
            ("pdf", Target::Txt) => Recipe::ReadText,
            _ => {
                let named =
                    if ending.is_empty() { "a file without an ending".to_owned() } else { format!("`{ending}`") };
                return Err(format!("{named} does not become `{}`", self.to.ending()));
            }
        };
        Ok(recipe)
    }

    /// Returns where the result goes.
    pub fn output(&self) -> String {
        self.output.clone().unwrap_or_else(|| {
            let stem = match ending(&self.path) {
                "" => self.path.as_str(),
                ending => &self.path[..self.path.len() - ending.len() - 1],
            };
            format!("{stem}.{}", self.to.ending())
        })
    }
}

/// Returns what follows the last dot of a path's last name.
fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, to: Target) -> ConvertFile {
        ConvertFile { path: path.to_owned(), to, output: None }
    }

    #[test]
    fn every_conversion_of_the_contract_has_its_recipe() {
        for path in ["a.html", "a.md", "a.docx", "a.xlsx", "a.pptx", "a.odt", "a.csv", "a.png", "a.JPG", "a.webp"] {
            assert!(file(path, Target::Pdf).recipe().is_ok(), "{path}");
        }
        for (path, to) in [
            ("a.md", Target::Docx),
            ("a.html", Target::Docx),
            ("a.docx", Target::Md),
            ("a.docx", Target::Html),
            ("a.pdf", Target::Png),
            ("a.pdf", Target::Txt),
        ] {
            assert!(file(path, to).recipe().is_ok(), "{path} to {to:?}");
        }
    }

    #[test]
    fn what_does_not_become_the_other_is_said() {
        let check = |path: &str, to: Target, words: &str| {
            assert_eq!(file(path, to).recipe().unwrap_err(), words);
        };
        check("a.zip", Target::Pdf, "`zip` does not become `pdf`");
        check("a.pdf", Target::Docx, "`pdf` does not become `docx`");
        check("folder.d/Makefile", Target::Pdf, "a file without an ending does not become `pdf`");
        check(".md", Target::Pdf, "a file without an ending does not become `pdf`");
    }

    #[test]
    fn the_result_stands_beside_its_source_unless_it_is_named() {
        assert_eq!(file("a.d/report.final.md", Target::Pdf).output(), "a.d/report.final.pdf");
        let named = ConvertFile { output: Some("out/x.pdf".to_owned()), ..file("a.md", Target::Pdf) };
        assert_eq!(named.output(), "out/x.pdf");
    }
}
