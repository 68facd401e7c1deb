//! Which document becomes which, and by what.
//!
//! Owns the table of conversions; leaves carrying them out to the room, where hostile documents are taken apart.

use crate::model::wire;

wire! {
    /// Arguments of `convert`.
    #[derive(Eq)]
    #[serde(deny_unknown_fields)]
    pub struct ConvertFile {
        /// Path of a file in the workspace. Its ending says what it is.
        pub path: String,
        /// What it becomes.
        pub to: DocumentFormat,
        /// Path of the result in the workspace; an existing file is replaced. Default: the same path with the new ending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub output: Option<String>,
    }

    /// What a document becomes.
    #[derive(Copy, Eq)]
    pub enum DocumentFormat {
        Pdf,
        Docx,
        Html,
        Md,
        /// One picture for each page.
        Png,
        Txt,
    }
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

impl DocumentFormat {
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
            ("html" | "htm", DocumentFormat::Pdf) => Recipe::PrintPage,
            ("md" | "markdown", DocumentFormat::Pdf) => Recipe::PrintMarkdown,
            ("csv", DocumentFormat::Pdf) => Recipe::OfficeValues,
            (picture, DocumentFormat::Pdf) if PICTURES.contains(&picture) => Recipe::PrintPicture,
            (office, DocumentFormat::Pdf) if OFFICE.contains(&office) => Recipe::Office,
            ("md" | "markdown", DocumentFormat::Docx) => Recipe::Pandoc { from: "gfm", to: "docx" },
            ("html" | "htm", DocumentFormat::Docx) => Recipe::Pandoc { from: "html", to: "docx" },
            ("docx", DocumentFormat::Md) => Recipe::Pandoc { from: "docx", to: "gfm" },
            ("docx", DocumentFormat::Html) => Recipe::Pandoc { from: "docx", to: "html5" },
            ("md" | "markdown", DocumentFormat::Html) => Recipe::Pandoc { from: "gfm", to: "html5" },
            ("html" | "htm", DocumentFormat::Md) => Recipe::Pandoc { from: "html", to: "gfm" },
            ("pdf", DocumentFormat::Png) => Recipe::DrawPages,
            ("pdf", DocumentFormat::Txt) => Recipe::ReadText,
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

    fn file(path: &str, to: DocumentFormat) -> ConvertFile {
        ConvertFile { path: path.to_owned(), to, output: None }
    }

    #[test]
    fn every_conversion_of_the_contract_has_its_recipe() {
        for path in ["a.html", "a.md", "a.docx", "a.xlsx", "a.pptx", "a.odt", "a.csv", "a.png", "a.JPG", "a.webp"] {
            assert!(file(path, DocumentFormat::Pdf).recipe().is_ok(), "{path}");
        }
        for (path, to) in [
            ("a.md", DocumentFormat::Docx),
            ("a.html", DocumentFormat::Docx),
            ("a.docx", DocumentFormat::Md),
            ("a.docx", DocumentFormat::Html),
            ("a.pdf", DocumentFormat::Png),
            ("a.pdf", DocumentFormat::Txt),
        ] {
            assert!(file(path, to).recipe().is_ok(), "{path} to {to:?}");
        }
    }

    #[test]
    fn what_does_not_become_the_other_is_said() {
        let check = |path: &str, to: DocumentFormat, words: &str| {
            assert_eq!(file(path, to).recipe().unwrap_err(), words);
        };
        check("a.zip", DocumentFormat::Pdf, "`zip` does not become `pdf`");
        check("a.pdf", DocumentFormat::Docx, "`pdf` does not become `docx`");
        check("folder.d/Makefile", DocumentFormat::Pdf, "a file without an ending does not become `pdf`");
        check(".md", DocumentFormat::Pdf, "a file without an ending does not become `pdf`");
    }

    #[test]
    fn the_result_stands_beside_its_source_unless_it_is_named() {
        assert_eq!(file("a.d/report.final.md", DocumentFormat::Pdf).output(), "a.d/report.final.pdf");
        let named = ConvertFile { output: Some("out/x.pdf".to_owned()), ..file("a.md", DocumentFormat::Pdf) };
        assert_eq!(named.output(), "out/x.pdf");
    }
}
