//! How a conversion becomes a command: one script, which travels on standard input, and what it works on as its arguments.

use sandbox_core::document::Recipe;

use super::CodeCommand;

const SCRIPT: &str = include_str!("convert.sh");
/// The status of the script where a program is missing.
pub const MISSING: i32 = 97;

/// A program that the room does not have, and the package that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTool {
    pub program: String,
    pub package: String,
}

/// Returns the command for a recipe; paths are absolute, in the room.
pub fn convert_command(recipe: Recipe, input: &str, output: &str) -> CodeCommand {
    let (name, formats) = match recipe {
        Recipe::PrintPage => ("page", None),
        Recipe::PrintPicture => ("picture", None),
        Recipe::PrintMarkdown => ("markdown", None),
        Recipe::Pandoc { from, to } => ("pandoc", Some([from, to])),
        Recipe::Office => ("office", None),
        Recipe::OfficeValues => ("values", None),
        Recipe::DrawPages => ("pages", None),
        Recipe::ReadText => ("text", None),
    };
    let args = ["-s", "--", name, input, output].into_iter().chain(formats.into_iter().flatten());
    CodeCommand {
        command: "bash".to_owned(),
        args: args.map(str::to_owned).collect(),
        stdin: SCRIPT.as_bytes().to_vec(),
    }
}

/// Reads which program is missing, from what the script said.
pub fn missing_tool(stderr: &str) -> Option<MissingTool> {
    let line = stderr.lines().find_map(|line| line.strip_prefix("missing "))?;
    let (program, package) = line.split_once(' ')?;
    Some(MissingTool { program: program.to_owned(), package: package.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversion_is_one_script_with_its_paths_as_they_are() {
        let command = convert_command(Recipe::PrintPage, "/workspace/a b'\"$.html", "/workspace/-out.pdf");
        assert_eq!(command.args, ["-s", "--", "page", "/workspace/a b'\"$.html", "/workspace/-out.pdf"]);
        let command =
            convert_command(Recipe::Pandoc { from: "gfm", to: "docx" }, "/workspace/a.md", "/workspace/a.docx");
        assert_eq!(command.args[5..], ["gfm", "docx"]);
    }

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let found = missing_tool("noise\nmissing pdftoppm poppler-utils\n").unwrap();
        assert_eq!((found.program.as_str(), found.package.as_str()), ("pdftoppm", "poppler-utils"));
        assert_eq!(missing_tool("nothing of the kind"), None);
    }
}
