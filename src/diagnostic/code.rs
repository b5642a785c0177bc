//! The codes of findings: one closed list, with a sentence for each.
//!
//! Policies of a workspace can give findings codes of their own ([`Code::of_policy`]); all others are constants here.
//! An error that stops a command is not a finding, and its code is at its type.

use std::borrow::Cow;
use std::fmt;

/// The kind of a finding, for example `policy::duplicate_id`. It is stable, so that people can search for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(Cow<'static, str>);

/// The prefix of the codes that policies give.
const OF_POLICIES: &str = "entities::";

/// The sentence of a code that a policy gives; the policy's own text comes with each finding.
const TOLD_BY_A_POLICY: &str =
    "A policy that looks for mistakes in the entities of a workspace has found one.";

impl Code {
    /// The code for the findings of a policy, from its `@code` or else its id.
    pub fn of_policy(name: &str) -> Self {
        Self(Cow::Owned(format!("{OF_POLICIES}{name}")))
    }

    /// The code with this text: one of [`ALL`] or a policy's; `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        let known = ALL.iter().find(|(code, _)| code.as_ref() == text);
        let of_policy = || text.strip_prefix(OF_POLICIES).map(Self::of_policy);
        known.map(|(code, _)| code.clone()).or_else(of_policy)
    }

    /// The sentence that is true of every finding with this code.
    pub fn sentence(&self) -> &'static str {
        let known = ALL.iter().find(|(code, _)| code == self);
        known.map_or(TOLD_BY_A_POLICY, |(_, sentence)| sentence)
    }
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Declares the codes by area. The line above each code is its documentation and its sentence.
macro_rules! codes {
    ($(
        #[doc = $about:literal]
        mod $area:ident {
            $(#[doc = $sentence:literal] $name:ident = $code:literal;)+
        }
    )+) => {
        $(
            #[doc = $about]
            pub mod $area {
                use std::borrow::Cow;

                use super::Code;

                $(
                    #[doc = $sentence]
                    pub const $name: Code = Code(Cow::Borrowed($code));
                )+
            }
        )+

        /// All codes except those that policies give, with their sentences.
        pub const ALL: &[(Code, &str)] = &[$($(
            ($area::$name, $sentence.trim_ascii_start()),
        )+)+];

        /// The path of each constant, in the order of [`ALL`].
        #[cfg(test)]
        const PATHS: &[(&str, &str)] = &[$($((stringify!($area), stringify!($name)),)+)+];
    };
}

codes! {
    /// Codes of findings about policies.
    mod policy {
        /// A policy depends on a value that was assumed, because no export has it.
        ASSUMED_VALUE = "policy::assumed_value";
        /// Several policies have the same id.
        DUPLICATE_ID = "policy::duplicate_id";
        /// A policy that looks for findings raises an error, so what it would find is not known.
        EVALUATION = "policy::evaluation";
        /// A permit holds for everybody, without a condition.
        FOR_EVERYBODY = "policy::for_everybody";
        /// A policy is marked as a guardrail and cannot be one, or what it guards cannot be known.
        GUARDRAIL = "policy::guardrail";
        /// A forbid can never apply, so it holds nobody back.
        IDLE_FORBID = "policy::idle_forbid";
        /// A policy compares an attribute with a text that entities have in another letter case.
        LETTER_CASE = "policy::letter_case";
        /// A file of template links, or one of the links in it, cannot be read.
        LINK = "policy::link";
        /// The id of a policy begins like those of policies that ship and stand in another folder.
        MISLEADING_ID = "policy::misleading_id";
        /// A policy does not say in a sentence what it allows or refuses.
        MISSING_DOC = "policy::missing_doc";
        /// A policy has no id, so it goes by its position in the file.
        MISSING_ID = "policy::missing_id";
        /// A forbid lacks the message or the advice for the person that it refuses.
        MISSING_MESSAGE = "policy::missing_message";
        /// A policy file is nested more deeply than is read.
        NESTING = "policy::nesting";
        /// A condition can never be true by the schema, and more is allowed because of it.
        NEVER_TRUE = "policy::never_true";
        /// No policy can say which authority is in force, so every decision is indeterminate.
        NO_AUTHORITY = "policy::no_authority";
        /// A policy decides otherwise than the one that ships under its id, or one that ships is gone.
        NOT_AS_SHIPPED = "policy::not_as_shipped";
        /// The annotations of policies do not describe a reading that can be switched on or off.
        READING = "policy::reading";
        /// The severity that a policy gives to what it finds is neither "error" nor "warning".
        SEVERITY = "policy::severity";
        /// A forbid takes away the answers that other policies give to a question.
        SILENCES_QUESTION = "policy::silences_question";
        /// The ids of two policies look alike.
        SIMILAR_ID = "policy::similar_id";
        /// Cedar's validator warns of something in a policy.
        SUSPICIOUS = "policy::suspicious";
        /// A policy file is not written in valid Cedar.
        SYNTAX = "policy::syntax";
        /// Two policies can answer at once which authority is in force.
        TWO_AUTHORITIES = "policy::two_authorities";
        /// A policy does not conform to the schema.
        TYPE = "policy::type";
        /// The id of a policy has characters that do not show.
        UNFIT_ID = "policy::unfit_id";
        /// A policy file is not formatted.
        UNFORMATTED = "policy::unformatted";
        /// No policy of a guardrail holds a permission back, so the permission gets round it.
        UNGUARDED_PERMISSION = "policy::unguarded_permission";
        /// A policy has an annotation that is not known and looks like one that is.
        UNKNOWN_ANNOTATION = "policy::unknown_annotation";
        /// A policy names an entity that does not exist.
        UNKNOWN_ENTITY = "policy::unknown_entity";
        /// A policy depends on who is in something of which not every member is known.
        UNKNOWN_MEMBERS = "policy::unknown_members";
        /// A policy compares a name with a text that is the name of no entity.
        UNKNOWN_NAME = "policy::unknown_name";
        /// No link uses a template, so it decides nothing.
        UNLINKED_TEMPLATE = "policy::unlinked_template";
        /// A permission is given without the page that carries it.
        UNREACHABLE_PERMISSION = "policy::unreachable_permission";
        /// The policies could not be read, because of a mistake in tarbac.
        UNREAD = "policy::unread";
    }

    /// Codes of findings about the schema.
    mod schema {
        /// An annotation of the schema names no entity where it has to.
        ANNOTATION = "schema::annotation";
        /// The files of the schema contradict each other.
        CONFLICT = "schema::conflict";
        /// A declaration of the schema does not say in a sentence what it declares.
        MISSING_DOC = "schema::missing_doc";
        /// A schema file is nested more deeply than is read.
        NESTING = "schema::nesting";
        /// Two entity types have the same name for programs that ask.
        SHARED_NAME = "schema::shared_name";
        /// A schema file is not a valid Cedar schema.
        SYNTAX = "schema::syntax";
        /// Cedar warns of something in the schema.
        WARNING = "schema::warning";
    }

    /// Codes of findings about entities.
    mod entities {
        /// The parents of an entity lead back to it.
        CYCLE = "entities::cycle";
        /// An entity refers to another one that does not exist.
        DANGLING = "entities::dangling";
        /// Two entities have the same type and id.
        DUPLICATE = "entities::duplicate";
        /// An entity lacks a parent of a type that it must have one of.
        MISSING_PARENT = "entities::missing_parent";
        /// An entity does not conform to the schema.
        NONCONFORMING = "entities::nonconforming";
        /// An entity has several parents of a type that it must have exactly one of.
        SEVERAL_PARENTS = "entities::several_parents";
        /// Several entities have the same name.
        SHARED_NAME = "entities::shared_name";
        /// The names of two entities look alike.
        SIMILAR_NAME = "entities::similar_name";
        /// An entity has a parent of a type, and also the attribute that stands in place of one.
        SUPERFLUOUS_PARENT = "entities::superfluous_parent";
        /// A file is not valid JSON, or is not JSON that describes entities.
        SYNTAX = "entities::syntax";
        /// There are more entities or memberships than can be held.
        TOO_LARGE = "entities::too_large";
        /// Whoever reads the name of an entity takes it for another name.
        UNFIT_NAME = "entities::unfit_name";
        /// An entity has a key or an attribute that is not declared.
        UNKNOWN_FIELD = "entities::unknown_field";
    }

    /// Codes of findings about the manifests that say which rules are in force.
    mod manifest {
        /// A manifest stands in a folder in which none is read.
        MISPLACED = "manifest::misplaced";
        /// A manifest cannot be read.
        SYNTAX = "manifest::syntax";
    }

    /// Codes of findings about the folder of a workspace.
    mod workspace {
        /// An import that was stopped has been finished.
        FINISHED = "workspace::finished";
        /// A file that `init` or `import` wrote is gone, or none of its policies is left.
        GONE = "workspace::gone";
        /// The folder lies in a workspace of which nothing is read.
        INSIDE = "workspace::inside";
        /// A file is not read, because none of its kind is expected where it stands.
        NOT_READ = "workspace::not_read";
        /// Git has files of the workspace that are left out of this checkout.
        SPARSE = "workspace::sparse";
        /// A submodule of git with rules or entities is not checked out.
        SUBMODULE = "workspace::submodule";
    }

    /// Codes of findings about suites.
    mod suite {
        /// The context of a case does not conform to the schema.
        CONTEXT = "suite::context";
        /// A key stands twice in one mapping of a suite.
        DUPLICATE_KEY = "suite::duplicate_key";
        /// Two parts of a suite have the same name.
        DUPLICATE_NAME = "suite::duplicate_name";
        /// A snapshot has nothing to show.
        EMPTY = "suite::empty";
        /// An exemption from coverage has no reason.
        EXEMPTION = "suite::exemption";
        /// What a case supposes cannot be.
        GIVEN = "suite::given";
        /// The name of a group has another meaning where it is used.
        GROUP_NAME = "suite::group_name";
        /// A key is missing in a suite.
        MISSING_KEY = "suite::missing_key";
        /// The name of a suite or a case is empty or has a control character in it.
        NAME = "suite::name";
        /// A case expects a policy that is not in force under its readings.
        POLICY_NOT_IN_FORCE = "suite::policy_not_in_force";
        /// A suite cannot be read.
        SYNTAX = "suite::syntax";
        /// The rows, columns and legend of a matrix do not fit together.
        TABLE = "suite::table";
        /// An exemption names a clause that the policy does not have.
        UNKNOWN_CLAUSE = "suite::unknown_clause";
        /// A suite uses a file that is not among the suites or has errors.
        UNKNOWN_FILE = "suite::unknown_file";
        /// A suite names a fixture that does not exist.
        UNKNOWN_FIXTURE = "suite::unknown_fixture";
        /// A suite has a key that is not expected where it stands.
        UNKNOWN_KEY = "suite::unknown_key";
        /// It is not clear which principal, action or resource a suite means.
        UNKNOWN_NAME = "suite::unknown_name";
        /// A suite names a policy that does not exist.
        UNKNOWN_POLICY = "suite::unknown_policy";
        /// A suite names a reading that the policies do not have.
        UNKNOWN_READING = "suite::unknown_reading";
        /// A suite with cases or matrices of its own has no name.
        UNNAMED = "suite::unnamed";
    }

    /// Codes of what a run of tests finds.
    mod test {
        /// A request is decided otherwise than a test expects.
        FAILED = "test::failed";
        /// A test of `cedar run-tests` cannot be run as it is.
        INVALID = "test::invalid";
        /// A file or a test in it does not have the format of `cedar run-tests`.
        SYNTAX = "test::syntax";
    }

    /// Codes of what snapshots show.
    mod snapshot {
        /// The decisions are not those of the snapshot, or the snapshot cannot be read.
        DIFFERS = "snapshot::differs";
    }

    /// Codes of what coverage shows.
    mod coverage {
        /// A policy or clause is exempt from coverage and covered all the same.
        STALE_EXEMPTION = "coverage::stale_exemption";
        /// The cases cover less of the policies than is wanted.
        TOO_LOW = "coverage::too_low";
    }

    /// Codes of what mutants show.
    mod mutant {
        /// No case or spec notices a change that was made to a policy for trial.
        SURVIVED = "mutant::survived";
        /// No case notices a change made for trial, and there are too many requests to look for one that would.
        UNKNOWN = "mutant::unknown";
    }

    /// Codes of findings about specs.
    mod spec {
        /// A spec is not a claim that can be proved.
        INVALID = "spec::invalid";
        /// A spec does not say in a sentence what holds.
        MISSING_DOC = "spec::missing_doc";
        /// A spec is a template, which is not linked.
        TEMPLATE = "spec::template";
        /// A spec has an annotation that specs do not have.
        UNKNOWN_ANNOTATION = "spec::unknown_annotation";
        /// A spec names an entity that no policy names and that does not exist.
        UNKNOWN_ENTITY = "spec::unknown_entity";
        /// A spec matches no possible request, so it says nothing.
        VACUOUS = "spec::vacuous";
    }

    /// Codes of what proofs show.
    mod prove {
        /// A forbid overrides a policy wherever the policy applies.
        ALWAYS_OVERRIDDEN = "prove::always_overridden";
        /// A policy can raise an error.
        CAN_FAIL = "prove::can_fail";
        /// The policies decide otherwise than those they are compared with.
        CHANGED = "prove::changed";
        /// Something that the policies compared with have, such as a permission or a reading, is gone.
        GONE = "prove::gone";
        /// A policy applies to no possible request.
        NEVER_APPLIES = "prove::never_applies";
        /// The solver could not find out whether a policy can fail or is redundant.
        NOT_KNOWN = "prove::not_known";
        /// The solver could neither prove nor refute a spec.
        NOT_PROVED = "prove::not_proved";
        /// Every request is decided the same without a policy.
        REDUNDANT = "prove::redundant";
        /// A spec does not hold: there is a counterexample.
        REFUTED = "prove::refuted";
    }

    /// Codes of findings about roles as Microsoft Graph has them.
    mod role {
        /// A policy about a role says more than a list of permissions can.
        INEXPRESSIBLE = "role::inexpressible";
        /// The tenant lists permissions that a role does not allow, and what that means is not documented.
        TAKES_AWAY = "role::takes_away";
        /// The name or the description of a role is longer than Intune takes.
        TOO_LONG = "role::too_long";
        /// A permission has no id in Microsoft Graph.
        UNKNOWN_TO_GRAPH = "role::unknown_to_graph";
        /// No policy in force gives a role a permission.
        WITHOUT_PERMISSIONS = "role::without_permissions";
    }

    /// Codes of findings about hypothetical changes.
    mod what_if {
        /// A hypothetical change cannot be made.
        CHANGE = "what_if::change";
        /// No plan of role changes can be made for a change.
        PLAN = "what_if::plan";
    }
}

#[cfg(test)]
mod tests;
