//! Licenses for devices, which have the same plan of Intune as those for people and are none of a person.

use serde_json::{Value, json};

use super::{CHECK, copied, notes};

const INTUNE_A: &str = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5";
const EXCHANGE: &str = "113feb6c-3fe4-4440-bddc-54d774bf0318";
/// A product for devices.
const DEVICE: &str = "2b317a4a-77a6-4188-9437-b68a77b4e2c6";
/// Products of Office 365 and Microsoft 365.
const OFFICE_E3: &str = "6fd2c87f-b296-42f0-b197-1e91e994b900";
const MICROSOFT_E5: &str = "06ebc4ee-1bb5-47dd-8120-11324bc54e06";

fn license(product: &str) -> Value {
    json!({"skuId": product, "disabledPlans": []})
}

fn product(id: &str, plans: &[&str]) -> Value {
    let plans: Vec<Value> = plans
        .iter()
        .map(|id| json!({"servicePlanId": id}))
        .collect();
    json!({"skuId": id, "capabilityStatus": "Enabled", "servicePlans": plans})
}

/// What is told of a person who has the plan of Intune, by whichever of these licenses, and whether the person is
/// permitted what the assigned role gives. The tenant has bought these products, if that is known.
fn told(licenses: Option<Value>, products: Option<Value>) -> (&'static str, bool) {
    let tarbac = copied("tests/exports/base/intune");
    let mut person = json!({
        "id": "00000000-0000-4000-8000-0000000000a1",
        "userPrincipalName": "ada@contoso.example",
        "accountEnabled": true,
        "onPremisesSyncEnabled": true,
        "assignedPlans": [
            {"servicePlanId": INTUNE_A, "service": "SCO", "capabilityStatus": "Enabled"},
            {"servicePlanId": EXCHANGE, "service": "exchange", "capabilityStatus": "Enabled"},
        ],
    });
    if let Some(licenses) = licenses {
        person["assignedLicenses"] = licenses;
    }
    tarbac.write("exports/graph/users.json", json!([person]).to_string());
    if let Some(products) = products {
        tarbac.write("exports/graph/subscribedSkus.json", products.to_string());
    }
    let notes = notes(&tarbac);
    let codes = ["unlicensed", "license_unknown"];
    let code = codes.into_iter().find(|code| notes.contains_key(*code));
    let ran = tarbac.run(&CHECK);
    (code.unwrap_or_default(), ran.status == 0)
}

#[test]
fn a_license_for_devices_is_none_of_a_person_whatever_else_the_person_has() {
    let unlicensed = ("unlicensed", false);
    let bought = json!([
        product(DEVICE, &[INTUNE_A]),
        product(OFFICE_E3, &[EXCHANGE]),
        product(MICROSOFT_E5, &[INTUNE_A, EXCHANGE]),
    ]);
    let with = |other: Value| Some(json!([license(DEVICE), other]));
    let e5_without_intune = json!({"skuId": MICROSOFT_E5, "disabledPlans": [INTUNE_A]});
    assert_eq!(told(Some(json!([license(DEVICE)])), None), unlicensed);
    for other in [license(OFFICE_E3), e5_without_intune.clone()] {
        assert_eq!(told(with(other), Some(bought.clone())), unlicensed);
    }
    // Microsoft 365 E5 is known to have Intune, whether or not the products of the tenant are known.
    assert_eq!(told(with(e5_without_intune), None), unlicensed);
    assert_eq!(told(with(license(MICROSOFT_E5)), Some(bought)), ("", true));
    assert_eq!(told(Some(json!([license(MICROSOFT_E5)])), None), ("", true));
    assert_eq!(told(Some(json!([license(OFFICE_E3)])), None), ("", true));
}

/// Which product gives the plan is not known: of a product without plans, or without a word about its subscription; and
/// where nobody asked for the licenses, unless the tenant is known to have no product for devices.
#[test]
fn a_plan_that_may_be_of_a_license_for_devices_is_no_known_license() {
    let unknown = ("license_unknown", false);
    let licenses = Some(json!([license(DEVICE), license(OFFICE_E3)]));
    assert_eq!(told(licenses, None), unknown);
    let licenses = Some(json!([license(DEVICE), license(MICROSOFT_E5)]));
    assert_eq!(told(licenses, None), unknown);
    assert_eq!(told(None, None), unknown);
    let bought = |id| Some(json!([product(id, &[INTUNE_A])]));
    assert_eq!(told(None, bought(DEVICE)), unknown);
    assert_eq!(told(None, bought(MICROSOFT_E5)), ("", true));
}
