//! `--report`: each format read by a reader of somebody else's, with findings, without, and with
//! text that means harm.

mod files;
mod formats;
mod readers;

use tarbac::code::{self};
use tarbac::finding::Finding;
use tarbac::source::Place;
use tarbac::test_report::{Failure, Test};

use crate::tarbac::Tarbac;

/// A workspace with errors and warnings, in policies and in entities.
fn wrong() -> Tarbac {
    Tarbac::with_tenant(&[
        (
            "policies/custom/a b/ü.cedar",
            "@id(\"custom.ü\")\n@doc(\"ö\") permit (principal, action);\n",
        ),
        (
            "policies/custom/doc.cedar",
            "@id(\"custom.doc\")\npermit (principal, action == Intune::Action::\"runScript\",\n  resource)\nwhen { resource.nmae == \"PC-1\" };\n",
        ),
        ("policies/custom/left.txt", ""),
        ("entities/x.json", "[\n  {}\n]\n"),
    ])
}

fn clean() -> Tarbac {
    Tarbac::with_tenant(&[])
}

fn test(name: &str, place: Place, failure: Option<(&str, &str)>) -> Test {
    let failure = failure.map(|(message, detail)| Failure {
        finding: Finding::error(code::test::FAILED, message)
            .label(place.clone(), "this test")
            .help("mend the policy, or the test"),
        detail: detail.to_owned(),
    });
    Test {
        name: name.to_owned(),
        place,
        failure,
    }
}
