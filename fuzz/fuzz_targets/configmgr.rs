//! Every answer of Configuration Manager is read or refused, whichever class it is taken for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use tarbac::exports::configmgr::{
    SmsAdmin, SmsAvailableOperation, SmsCollection, SmsFullCollectionMembership, SmsRSystem,
    SmsRUser, SmsRole, SmsSecuredCategory,
};
use tarbac::exports::read;

fn rows<T: DeserializeOwned>(bytes: &[u8]) {
    let _ = read(bytes, |_: T| Ok(()));
}

fuzz_target!(|bytes: &[u8]| {
    rows::<SmsAdmin>(bytes);
    rows::<SmsAvailableOperation>(bytes);
    rows::<SmsCollection>(bytes);
    rows::<SmsFullCollectionMembership>(bytes);
    rows::<SmsRSystem>(bytes);
    rows::<SmsRUser>(bytes);
    rows::<SmsRole>(bytes);
    rows::<SmsSecuredCategory>(bytes);
});
