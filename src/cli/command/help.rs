//! `tarbac help`: the help of a command, and the pages of the documentation.

use clap::Args;
use clap::CommandFactory;

use super::candidates;
use crate::arguments::format::format_fixed;
use crate::arguments::{Arguments, Format, offered};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;
use crate::product;

/// Show the help of a command, or a page of the documentation.
///
/// Without a topic, lists the commands and the pages. A page with the name of a command follows its help.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac help
  tarbac help what-if
  tarbac help role export")]
pub(crate) struct HelpArgs {
    /// A command, or the name of a page.
    #[arg(value_name = "TOPIC", add = offered(candidates::topics))]
    pub topic: Vec<String>,
}

/// A page of the documentation.
#[derive(Debug)]
pub(crate) struct Page {
    /// The name of the page on the command line.
    pub topic: String,
    /// The heading of the page.
    pub title: String,
    /// The page in Markdown.
    text: String,
}

pub(crate) fn run(help: &HelpArgs, output: &mut Output) -> Result<Exit, Failure> {
    let pages = pages();
    let of_command = command(&help.topic, output.style().colour);
    let page = match help.topic.as_slice() {
        [topic] => pages.iter().find(|page| page.topic == *topic),
        _ => None,
    };
    if of_command.is_none() && page.is_none() {
        return Err(ShellError::Arguments {
            message: format!("there is no help on `{}`", help.topic.join(" ")),
            help: Some("`tarbac help` lists the commands and the pages".to_owned()),
        }
        .into());
    }
    let page = match help.topic.as_slice() {
        [] => Some(contents(&pages)),
        _ => page.map(|page| page.text.clone()),
    };
    let texts: Vec<String> = of_command.into_iter().chain(page).collect();
    output.write(&texts.join("\n"))?;
    Ok(Exit::Yes)
}

/// The pages of the documentation, by topic.
pub(crate) fn pages() -> Vec<Page> {
    let pages = product::pages().into_iter().filter_map(|file| {
        let topic = file.path.strip_suffix(".md")?.to_owned();
        let heading = file.text.lines().find_map(|line| line.strip_prefix("# "))?;
        let title = heading.to_owned();
        // Comments mark generated tables.
        let lines = file.text.lines().filter(|line| !line.starts_with("<!-- "));
        let text = lines.flat_map(|line| [line, "\n"]).collect();
        Some(Page { topic, title, text })
    });
    pages.collect()
}

/// The help of a command, or of a command within another; without words, of the program.
fn command(words: &[String], colour: bool) -> Option<String> {
    let mut program = Arguments::command();
    program.build();
    let mut command = &mut program;
    for word in words {
        command = command.find_subcommand_mut(word)?;
    }
    let help = command.render_long_help();
    Some(match colour {
        true => help.ansi().to_string(),
        false => help.to_string(),
    })
}

/// The list of the pages.
fn contents(pages: &[Page]) -> String {
    let widths = pages.iter().map(|page| page.topic.len());
    let width = widths.max().unwrap_or_default();
    let lines = pages.iter().map(|page| {
        let Page { topic, title, .. } = page;
        format!("  {topic:width$}  {title}\n")
    });
    let lines: String = lines.collect();
    format!("Pages (tarbac help NAME):\n{lines}")
}
