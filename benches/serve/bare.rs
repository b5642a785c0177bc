//! Plain Cedar behind the same HTTP library: its `Authorizer` over all policies and all entities.

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet,
};
use serde_json::{Value, json};

use super::{engine, plain};

struct Bare {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

/// Serves evaluations of a workspace until the process is ended.
pub fn serve(folder: &Path) {
    let engine = engine(folder);
    let schema = engine.bundle().schema();
    let actions: HashSet<EntityUid> = schema.actions().cloned().collect();
    let files = ["base.json", "people.json", "devices.json"].map(|file| {
        let json = std::fs::read_to_string(folder.join("entities").join(file)).unwrap();
        Entities::from_json_str(&json, Some(schema)).unwrap()
    });
    let all = files.into_iter().flatten();
    let all = all.filter(|entity| !actions.contains(&entity.uid()));
    let all = all.chain(schema.action_entities().unwrap());
    let bare = Arc::new(Bare {
        authorizer: Authorizer::new(),
        policies: plain::policies(&engine),
        entities: Entities::from_entities(all, None).unwrap(),
    });
    let routes = Router::new()
        .route("/access/v1/evaluation", post(evaluation))
        .with_state(bare);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("address=\"http://{}\"", listener.local_addr().unwrap());
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn evaluation(State(bare): State<Arc<Bare>>, body: String) -> String {
    let request = plain::request(&request(&body));
    let response = bare
        .authorizer
        .is_authorized(&request, &bare.policies, &bare.entities);
    json!({ "decision": response.decision() == Decision::Allow }).to_string()
}

/// The requests that these texts are.
pub fn requests(bodies: &[String]) -> Vec<tarbac::Request> {
    bodies.iter().map(|body| request(body)).collect()
}

fn request(body: &str) -> tarbac::Request {
    let body: Value = serde_json::from_str(body).unwrap();
    let uid = |type_name: &str, id: &Value| {
        let type_name = EntityTypeName::from_str(type_name).unwrap();
        EntityUid::from_type_name_and_id(type_name, EntityId::new(id.as_str().unwrap()))
    };
    tarbac::Request {
        principal: uid("Entra::User", &body["subject"]["id"]),
        action: uid("Intune::Action", &body["action"]["name"]),
        resource: uid("ConfigMgr::Device", &body["resource"]["id"]),
        context: Context::empty(),
    }
}
