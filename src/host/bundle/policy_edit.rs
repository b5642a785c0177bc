//! A policy in parts that can be changed.

use std::sync::Arc;

use cedar_policy_core::ast;

use super::clause::Keyword;
use super::policy::Policy;

/// The parts of a policy, without its id and annotations.
#[derive(Debug, Clone)]
pub struct PolicyEdit {
    /// Permit or forbid.
    pub effect: ast::Effect,
    /// The principals in the scope.
    pub principal: ast::PrincipalConstraint,
    /// The actions in the scope.
    pub action: ast::ActionConstraint,
    /// The resources in the scope.
    pub resource: ast::ResourceConstraint,
    /// The clauses in order, each with its conjuncts; one without conjuncts is left out.
    pub clauses: Vec<(Keyword, Vec<ast::Expr>)>,
}

impl PolicyEdit {
    /// The parts of a policy; the slots of a link are filled.
    pub fn from_policy(policy: &Policy) -> Self {
        let ast = policy.ast();
        Self {
            effect: ast.effect(),
            principal: ast.principal_constraint(),
            action: ast.action_constraint().clone(),
            resource: ast.resource_constraint(),
            clauses: policy
                .clauses()
                .into_iter()
                .map(|clause| {
                    let conjuncts = clause.conjuncts.into_iter().cloned().collect();
                    (clause.keyword, conjuncts)
                })
                .collect(),
        }
    }

    fn condition(&self) -> Option<ast::Expr> {
        self.clauses
            .iter()
            .filter_map(|(keyword, conjuncts)| {
                let body = conjuncts.iter().cloned().reduce(ast::Expr::and)?;
                Some(match keyword {
                    Keyword::When => body,
                    Keyword::Unless => ast::Expr::not(body),
                })
            })
            .reduce(ast::Expr::and)
    }

    /// The static policy of these parts; `None` if a slot of a template is open.
    pub fn policy(&self, id: ast::PolicyID) -> Option<ast::Policy> {
        static_policy(
            id,
            self.effect,
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
            self.condition(),
        )
    }
}

/// The static policy of these parts; `None` if a slot of a template is open.
pub fn static_policy(
    id: ast::PolicyID,
    effect: ast::Effect,
    principal: ast::PrincipalConstraint,
    action: ast::ActionConstraint,
    resource: ast::ResourceConstraint,
    condition: Option<ast::Expr>,
) -> Option<ast::Policy> {
    let annotations = ast::Annotations::new();
    let template = ast::Template::new(
        id,
        None,
        annotations,
        effect,
        principal,
        action,
        resource,
        condition,
    );
    ast::Template::try_as_policy(Arc::new(template)).ok()
}
