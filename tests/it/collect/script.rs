//! The PowerShell script that collects the same, where tarbac is not on the machine.

use tree_sitter::{Node, Parser};

use crate::tarbac::Tarbac;

/// The first place that is no PowerShell.
pub fn fault(script: &str) -> Option<String> {
    let mut parser = Parser::new();
    let language = tree_sitter_powershell::LANGUAGE.into();
    parser.set_language(&language).unwrap();
    let tree = parser.parse(script, None).unwrap();
    first_error(tree.root_node()).map(|node| {
        let place = node.start_position();
        format!(
            "line {}: {}",
            place.row + 1,
            node.utf8_text(script.as_bytes()).unwrap()
        )
    })
}

fn first_error(node: Node<'_>) -> Option<Node<'_>> {
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
    children.into_iter().find_map(first_error)
}

#[test]
fn the_script_is_powershell() {
    let script = Tarbac::with(&[]).run(&["collect", "--script"]).stdout;
    assert_eq!(fault(&script), None);
    // The parser tells what is none.
    let cut = script.rsplit_once('}').unwrap().0;
    assert!(fault(cut).is_some());
    for part in [
        "\nSet-StrictMode -Version Latest\n",
        "-UseDefaultCredentials",
        "Invoke-MgGraphRequest -Method GET",
        "[switch] $Resume",
        "Write-Progress",
    ] {
        assert!(script.contains(part), "{part}");
    }
    // Windows PowerShell 5.1 does not know these.
    for newer in [" ?? ", "?.", " && ", " || ", "-Parallel", "clean {"] {
        assert!(!script.contains(newer), "{newer}");
    }
}
