//! The options by which tokens are checked go together.

use super::{AUDIENCE, ISSUER, Signer, written};
use crate::tarbac::{Ran, contoso};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn check(arguments: &[&str]) -> Ran {
    contoso(&[&["serve", "--check"], arguments].concat())
}

fn of_issuer<'k>(audience: &'k str, keys: &'k str) -> [&'k str; 6] {
    [
        "--jwt-issuer",
        ISSUER,
        "--jwt-audience",
        audience,
        "--jwt-keys",
        keys,
    ]
}

#[test]
fn tokens_are_not_checked_by_halves() {
    let (folder, keys) = written(&[&Signer::ec("e")]);
    let garbage = folder.path().join("garbage.json");
    let secret = r#"{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0"}]}"#;
    std::fs::write(&garbage, secret).unwrap();
    let (keys, garbage) = (keys.to_str().unwrap(), garbage.to_str().unwrap());
    let whole = of_issuer(AUDIENCE, keys);
    assert_eq!(check(&whole).status, 0);
    let entra = ["--entra-tenant", TENANT, "--jwt-audience", AUDIENCE];
    assert_eq!(check(&entra).status, 0);
    let path = ["--entra-tenant", "../x", "--jwt-audience", AUDIENCE];
    for (wrong, says) in [
        (&whole[2..], "--jwt-issuer"),
        (&[&whole[..2], &whole[4..]].concat(), "--jwt-audience"),
        (&whole[..4], "--jwt-keys"),
        (&entra[..2], "--jwt-audience"),
        (&path, "tenant"),
        (&of_issuer("", keys), "--jwt-audience"),
        (&of_issuer(AUDIENCE, garbage), "ES256"),
        (&of_issuer(AUDIENCE, "http://issuer.example/k"), "https"),
        (&[&whole[..], &entra[..2]].concat(), "--entra-tenant"),
    ] {
        let ran = check(wrong);
        assert_eq!(ran.status, 2, "{wrong:?} {ran}");
        assert!(ran.stderr.contains(says), "{wrong:?} {ran}");
    }
}
