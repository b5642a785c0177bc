//! Every answer of Microsoft Graph is read or refused, whichever row it is taken for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use tarbac::exports::graph::{
    DirectoryRoleRow, GroupEligibilityRow, GroupRow, IdRow, RoleAssignmentRow, RoleDefinitionRow,
    RoleEligibilityRow, ScopeTagRow, SkuRow, TenantAttachRbacRow, UserRow,
};
use tarbac::exports::read;

fn rows<T: DeserializeOwned>(bytes: &[u8]) {
    let _ = read(bytes, |_: T| Ok(()));
}

fuzz_target!(|bytes: &[u8]| {
    rows::<RoleDefinitionRow>(bytes);
    rows::<RoleAssignmentRow>(bytes);
    rows::<IdRow>(bytes);
    rows::<ScopeTagRow>(bytes);
    rows::<UserRow>(bytes);
    rows::<SkuRow>(bytes);
    rows::<GroupRow>(bytes);
    rows::<DirectoryRoleRow>(bytes);
    rows::<RoleEligibilityRow>(bytes);
    rows::<GroupEligibilityRow>(bytes);
    rows::<TenantAttachRbacRow>(bytes);
});
