//! Findings about values that are written otherwise, and about rules that are not as they ship.

use serde_json::json;

use super::with;
use crate::tarbac::Tarbac;
use crate::world::{device, entities, tenant};

#[test]
fn policy_letter_case() {
    let policy = r#"@id("custom.x")
@doc("Not on Windows 11.")
@message("No.")
@advice("Ask.")
forbid (
  principal,
  action == Intune::Action::"runScript",
  resource
)
when
{
  resource has operatingSystem && resource.operatingSystem == "windows 11"
};
"#;
    let device = with(
        device("d8", "PC-8", "H"),
        "operatingSystem",
        json!("Windows 11"),
    );
    let workspace = Tarbac::with_tenant(&[
        ("policies/custom/x.cedar", policy),
        ("entities/x.json", &entities(&[device])),
    ]);
    insta::assert_snapshot!(workspace.run(&["validate"]), @r#"
    policy::unformatted

      ⚠ `policies/custom/x.cedar` is not formatted
       ╭─[policies/custom/x.cedar:1:1]
     1 │ @id("custom.x")
       · ▲
       · ╰── in this file
     2 │ @doc("Not on Windows 11.")
       ╰────
      help: run `tarbac fmt`

    policy::letter_case

      ⚠ the policy `custom.x` compares `operatingSystem` with `windows 11`, and the data have `Windows 11`, in another
      │ letter case
        ╭─[policies/custom/x.cedar:12:35]
     11 │ {
     12 │   resource has operatingSystem && resource.operatingSystem == "windows 11"
        ·                                   ────────────────────┬───────────────────
        ·                                                       ╰── compared here
     13 │ };
        ╰────
      help: Cedar compares letter by letter, so write the text as the data have it

    warnings: 2 warnings
    rules: shipped-and-custom, revision …
    --- exit 0
    "#);
}

#[test]
fn policy_not_as_shipped() {
    let workspace = Tarbac::with(&[]);
    assert_eq!(workspace.run(&["init", "--bare", "."]).status, 0);
    workspace.write("entities/tenant.json", entities(&tenant()));
    let path = "policies/guardrails/tenant.cedar";
    let unless = "unless { principal.tenant == resource };";
    let more = "unless { principal.tenant == resource || principal.cloudOnly };";
    workspace.write(path, workspace.read(path).replace(unless, more));
    for gone in ["policies/guardrails/account.cedar", "tarbac-files.json"] {
        std::fs::remove_file(workspace.path(gone)).unwrap();
    }
    insta::assert_snapshot!(workspace.run(&["validate"]), @r#"
    policy::not_as_shipped

      ⚠ the policy `guardrails.account.disabled` ships, and is not here
      help: put back what is missing (`tarbac init --bare shipped` writes it); if it is gone on purpose, name its file
            under `removed` in `tarbac-files.json`, or name it in the `@changed("…")` of the policy in its place

    policy::not_as_shipped

      ⚠ the policy `guardrails.tenant.settings` is not the one that ships under this id
        ╭─[policies/guardrails/tenant.cedar:19:1]
     18 │ 
     19 │ @id("guardrails.tenant.settings")
        · ────────────────┬────────────────
        ·                 ╰── this policy
     20 │ @doc("Nobody updates the roles of another tenant.")
        ╰────
      help: if that is meant, say why with `@changed("…")`; to see who gains and loses by it, compare with what ships:
            `tarbac init --bare shipped`, then `tarbac diff shipped/policies`

    warnings: 2 warnings
    rules: own, revision …
    --- exit 0
    "#);
}
