//! Signed manifests: trusted, unknown and missing keys, and changed bytes.

use std::path::PathBuf;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::replica::Replica;
use crate::signature::{SigningKey, TrustedKeys};

struct Keys {
    _folder: TempDir,
    private: PathBuf,
    public: PathBuf,
}

fn keys() -> Keys {
    let pair = Ed25519KeyPair::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pem = |label: &str, der: &[u8]| {
        let text = base64(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let (private, public) = (folder.path().join("key.pem"), folder.path().join("key.pub"));
    std::fs::write(
        &private,
        pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref()),
    )
    .unwrap();
    let der = pair.public_key().as_der().unwrap();
    std::fs::write(&public, pem("PUBLIC KEY", der.as_ref())).unwrap();
    Keys {
        _folder: folder,
        private,
        public,
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |sum, at| {
            sum << 8 | three.get(at).map_or(0, |byte| usize::from(*byte))
        });
        for place in 0..4 {
            match place <= three.len() {
                true => text.push(char::from(DIGITS[number >> (18 - 6 * place) & 63])),
                false => text.push('='),
            }
        }
    }
    text
}

#[test]
fn only_what_a_trusted_key_signed_is_taken() {
    let (ours, others) = (keys(), keys());
    let objects = memory();
    let trusting = |name: &str| {
        let trust = TrustedKeys::read(&ours.public).unwrap();
        let location = format!("s3://bucket/{name}").parse().unwrap();
        Store::over(
            (objects.clone(), StoreClock::default()),
            &location,
            Some(trust),
        )
        .unwrap()
    };
    let store = over(objects.clone());
    let sign = |keys: &Keys, text: &str| {
        let key = SigningKey::read(&keys.private).unwrap();
        let label = RevisionLabel {
            key: Some(&key),
            ..RevisionLabel::default()
        };
        new(put_with(&store, policies(text), &label));
    };
    sign(&ours, "p1");
    new(put(&store, policies("p2")));
    sign(&others, "p3");
    let mut replica = Replica::new(trusting("contoso"), Cache::temporary().unwrap());
    let poll = replica.poll(&mut |_, _| Ok(())).unwrap();
    assert_eq!(poll.taken, Some(1));
    let reasons: Vec<&str> = poll
        .rejected
        .iter()
        .map(|(_, reason)| reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "revision 3 is not trusted: no signature is by a trusted key",
            "revision 2 is not trusted: it has no signature",
        ]
    );
    // The signed manifest of one workspace is not accepted for another.
    let bytes = store.manifest_bytes(1).unwrap().unwrap();
    assert!(trusting("fabrikam").read(bytes.clone(), 1).is_err());
    // A changed byte is noticed.
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let changed = text.replacen("\"parent\":null", "\"parent\": null", 1);
    assert_ne!(changed, text);
    assert!(trusting("contoso").read(changed.into(), 1).is_err());
    // A publisher that checks signatures does not build on an untrusted revision.
    assert!(put(&trusting("contoso"), entities("e1")).is_err());
}

#[test]
fn a_file_without_a_key_is_refused() {
    let ours = keys();
    assert!(SigningKey::read(&ours.public).is_err());
    assert!(TrustedKeys::read(&ours.private).is_err());
    assert!(TrustedKeys::read(&ours.public.with_file_name("absent")).is_err());
}
