//! The solver: a child process that is asked whether a claim has a counterexample.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use cedar_policy_symcc::err::Error as SymbolicError;
use cedar_policy_symcc::solver::{Decision, LocalSolver, Solver as _};
use cedar_policy_symcc::{CedarSymCompiler, Env, WellFormedAsserts};
use miette::Diagnostic;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::runtime::{self, Runtime};

/// How to get a solver.
const HOW_TO_GET_ONE: &str = "\
the solver is cvc5, a program of its own:
  Debian, Ubuntu  apt-get install cvc5
  Fedora          dnf install cvc5
  macOS           brew install cvc5/cvc5/cvc5
  Windows         the archive for Windows at https://github.com/cvc5/cvc5/releases
one that is not on the PATH is named by --solver PATH or the variable CVC5";

/// Two questions with known answers: satisfiable, then unsatisfiable. A program with other answers is no solver.
const KNOWN: [(&[u8], Decision); 2] = [
    (
        b"(reset)\n(set-logic ALL)\n(declare-const known Bool)\n(assert known)\n",
        Decision::Sat,
    ),
    (b"(assert (not known))\n", Decision::Unsat),
];

/// The settings of the solver.
#[derive(Debug, Clone)]
pub struct Solving {
    /// The program.
    pub solver: PathBuf,
    /// The most time that one question may take.
    pub timeout: Duration,
    /// The number of solvers that work at once.
    pub jobs: usize,
}

/// There is no usable solver.
#[derive(Debug, Error, Diagnostic)]
pub enum NoSolver {
    /// The program cannot be started.
    #[error("the solver `{path}` cannot be started: {reason}")]
    #[diagnostic(code(solver::missing), help("{HOW_TO_GET_ONE}"))]
    Missing {
        /// The program.
        path: String,
        /// The reason.
        reason: String,
    },
    /// The program does not answer as a solver does.
    #[error("`{path}` does not answer as a solver does: {reason}")]
    #[diagnostic(code(solver::unusable), help("{HOW_TO_GET_ONE}"))]
    Unusable {
        /// The program.
        path: String,
        /// The reason.
        reason: String,
    },
}

/// The reason why a claim is neither proved nor refuted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unknown {
    /// It took too long.
    #[error("the solver gave no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The solver cannot tell.
    #[error("the solver cannot tell")]
    Undecided,
    /// The solver failed.
    #[error("the solver failed: {0}")]
    Failed(String),
    /// The symbolic compiler cannot express a policy.
    #[error("the policy `{policy}` cannot be put to the solver: {reason}")]
    Unsupported {
        /// The policy.
        policy: String,
        /// The reason.
        reason: String,
    },
    /// A policy, or a spec, can raise an error.
    #[error("`{policy}` ({place}) can raise an error, and where it does, nothing is known")]
    CanFail {
        /// The policy.
        policy: String,
        /// Its place.
        place: String,
    },
    /// A policy reads an attribute by another path than the spec names.
    #[error(
        "the policy `{policy}` reads the attribute in another way than by the path that the spec names"
    )]
    ReadsOtherwise {
        /// The policy.
        policy: String,
    },
    /// The schema has changed so that old policies cannot be decided as before.
    #[error("{0}")]
    Schema(String),
    /// The solver found a counterexample that plain Cedar does not confirm.
    #[error("the solver gave a counterexample, but {0}")]
    Unconfirmed(String),
}

/// A running solver. It is started again after a failure.
pub(super) struct Solver<'a> {
    solving: &'a Solving,
    runtime: Runtime,
    session: Option<Session>,
}

type Session = CedarSymCompiler<LocalSolver>;

impl<'a> Solver<'a> {
    /// Starts a solver, and checks its answers to the known questions.
    pub(super) fn start(solving: &'a Solving) -> Result<Self, NoSolver> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| missing(solving, &error))?;
        let mut solver = Self {
            solving,
            runtime,
            session: None,
        };
        solver.session = Some(solver.begin()?);
        Ok(solver)
    }

    fn begin(&self) -> Result<Session, NoSolver> {
        let unusable = |reason: String| NoSolver::Unusable {
            path: self.solving.solver.display().to_string(),
            reason,
        };
        self.runtime.block_on(async {
            let mut command = Command::new(&self.solving.solver);
            command
                // Patterns of `like` with several wildcards need the second.
                .args(["--lang", "smt", "--strings-exp"])
                .stderr(Stdio::null())
                .kill_on_drop(true);
            let mut solver =
                LocalSolver::from_command(&mut command).map_err(|error| match error {
                    cedar_policy_symcc::err::SolverError::Io(error) => {
                        missing(self.solving, &error)
                    }
                    error => unusable(in_full(&error)),
                })?;
            let known = tokio::time::timeout(self.solving.timeout, answers(&mut solver)).await;
            match known {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(unusable(error.to_string())),
                Err(_) => return Err(unusable(Unknown::Timeout(self.solving.timeout).to_string())),
            }
            CedarSymCompiler::new(solver).map_err(|error| unusable(in_full(&error)))
        })
    }

    /// A model of the assertions, if there is one.
    pub(super) fn satisfy(
        &mut self,
        asserts: &WellFormedAsserts<'_>,
    ) -> Result<Option<Env>, Unknown> {
        self.ask(async |session| session.check_sat(asserts).await)
    }

    /// Whether the assertions have no model. That takes less time than finding one.
    pub(super) fn is_unsatisfiable(
        &mut self,
        asserts: &WellFormedAsserts<'_>,
    ) -> Result<bool, Unknown> {
        self.ask(async |session| session.check_unsat(asserts).await)
    }

    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut Session) -> Result<T, SymbolicError>,
    ) -> Result<T, Unknown> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self
                .begin()
                .map_err(|error| Unknown::Failed(error.to_string()))?,
        };
        let session = self.session.insert(session);
        let timeout = self.solving.timeout;
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(timeout, question(session)).await });
        let unknown = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(SymbolicError::SolverUnknown)) => return Err(Unknown::Undecided),
            Ok(Err(
                error @ (SymbolicError::DecodeModel(_)
                | SymbolicError::ConcretizeError(_)
                | SymbolicError::ModelInvalid { .. }),
            )) => Unknown::Unconfirmed(format!("it cannot be read: {}", in_full(&error))),
            Ok(Err(error)) => Unknown::Failed(in_full(&error)),
            Err(_) => Unknown::Timeout(timeout),
        };
        // Its next answer would belong to this question: the solver is started again.
        self.session = None;
        Err(unknown)
    }
}

/// The reason why a program is no usable solver.
#[derive(Debug, Error)]
enum AnswerError {
    #[error("{0}")]
    Io(std::io::Error),
    #[error("{0}")]
    Solver(String),
    #[error("it says {answer:?} where {expected:?} is true")]
    Wrong {
        answer: Decision,
        expected: Decision,
    },
}

/// Checks the answers of a solver to the known questions.
async fn answers(solver: &mut LocalSolver) -> Result<(), AnswerError> {
    for (question, expected) in KNOWN {
        let input = solver.smtlib_input();
        input.write_all(question).await.map_err(AnswerError::Io)?;
        let answer = solver.check_sat().await;
        let answer = answer.map_err(|error| AnswerError::Solver(in_full(&error)))?;
        if answer != expected {
            return Err(AnswerError::Wrong { answer, expected });
        }
    }
    Ok(())
}

pub(super) fn missing(solving: &Solving, error: &std::io::Error) -> NoSolver {
    NoSolver::Missing {
        path: solving.solver.display().to_string(),
        reason: error.to_string(),
    }
}

/// An error with its causes, on one line.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text += ": ";
            text += &cause_text;
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
