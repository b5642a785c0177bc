//! Diagnostics without control characters.
//!
//! File names and other texts in a diagnostic come from outside, and a terminal would obey some characters of them.

use std::fmt;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan,
    SpanContents,
};

use tarbac_diagnostic::printable::{line, lines, short};

/// A diagnostic whose texts are printable.
#[derive(Debug)]
pub(super) struct PrintableDiagnostic<'d> {
    diagnostic: &'d dyn Diagnostic,
    code: Option<Code<'d>>,
}

/// The source code of a diagnostic.
struct Code<'d>(&'d dyn SourceCode);

impl fmt::Debug for Code<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Code")
    }
}

impl<'d> PrintableDiagnostic<'d> {
    pub(crate) fn new(diagnostic: &'d dyn Diagnostic) -> Self {
        Self {
            diagnostic,
            code: diagnostic.source_code().map(Code),
        }
    }
}

impl fmt::Display for PrintableDiagnostic<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&lines(&short(self.diagnostic.to_string())))
    }
}

impl std::error::Error for PrintableDiagnostic<'_> {}

impl Diagnostic for PrintableDiagnostic<'_> {
    fn code(&self) -> Option<Box<dyn fmt::Display + '_>> {
        let code = self.diagnostic.code()?.to_string();
        Some(Box::new(line(&code).into_owned()))
    }

    fn severity(&self) -> Option<Severity> {
        self.diagnostic.severity()
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        let help = self.diagnostic.help()?.to_string();
        Some(Box::new(lines(&short(help)).into_owned()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let code = self.code.as_ref()?;
        Some(code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.diagnostic.labels()?.map(|label| {
            let text = label.label().map(|text| line(text).into_owned());
            LabeledSpan::new_with_span(text, *label.inner())
        })))
    }
}

impl SourceCode for Code<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.0.read_span(span, lines_before, lines_after)?;
        let name = contents.name().map(|name| line(name).into_owned());
        let (line, column) = (contents.line(), contents.column());
        let (data, span, count) = (contents.data(), *contents.span(), contents.line_count());
        Ok(Box::new(match name {
            Some(name) => MietteSpanContents::new_named(name, data, span, line, column, count),
            None => MietteSpanContents::new(data, span, line, column, count),
        }))
    }
}
