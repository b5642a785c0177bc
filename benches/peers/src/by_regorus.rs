//! The rules in Rego, by regorus: its virtual machine, and its interpreter.

use std::collections::BTreeMap;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::value::Object;
use regorus::{Engine, Value};
use tarbac::decision::Request;

use super::facts::Facts;

const POLICY: &str = include_str!("policy.rego");
const ALLOW: &str = "data.tenant.allow";

/// The virtual machine, with program and data loaded once.
pub struct Machine(RegoVM);

/// The interpreter, with policy and data loaded once.
pub struct Interpreter(Engine);

impl Machine {
    pub fn new(facts: &Facts) -> Self {
        let mut engine = engine(facts);
        let entry: Arc<str> = ALLOW.into();
        let policy = engine.compile_with_entrypoint(&entry).unwrap();
        let program = Compiler::compile_from_policy(&policy, &[ALLOW]).unwrap();
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine.set_data(data(facts)).unwrap();
        Self(machine)
    }

    pub fn allows(&mut self, request: &Request) -> bool {
        self.0.set_input(input(request));
        self.0.execute().unwrap() == Value::Bool(true)
    }
}

impl Interpreter {
    pub fn new(facts: &Facts) -> Self {
        Self(engine(facts))
    }

    pub fn allows(&mut self, request: &Request) -> bool {
        self.0.set_input(input(request));
        self.0.eval_rule(ALLOW.to_owned()).unwrap() == Value::Bool(true)
    }
}

fn engine(facts: &Facts) -> Engine {
    let mut engine = Engine::new();
    engine.add_policy("policy.rego".to_owned(), POLICY.to_owned()).unwrap();
    engine.add_data(data(facts)).unwrap();
    engine
}

fn data(facts: &Facts) -> Value {
    Value::from_json_str(&facts.json.to_string()).unwrap()
}

fn input(request: &Request) -> Value {
    let parts = [
        ("principal", &request.principal),
        ("action", &request.action),
        ("resource", &request.resource),
    ];
    let parts = parts.map(|(name, uid)| (name.into(), uid.id().unescaped().into()));
    Object::from(BTreeMap::<Value, Value>::from(parts)).into()
}
