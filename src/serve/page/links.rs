//! The addresses of the views, with the question in them.

use form_urlencoded::Serializer;

use super::view::Route;

/// The addresses below the path of the public URL.
#[derive(Debug, Clone)]
pub(super) struct Links {
    base: String,
}

impl Links {
    pub(super) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
        }
    }

    /// A path of the server.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A view with arguments. Those without a value are left out.
    pub(super) fn view(&self, route: Route, arguments: &[(&str, &str)]) -> String {
        let mut query = Serializer::new(String::new());
        let given = arguments.iter().filter(|(_, value)| !value.is_empty());
        for (name, value) in given {
            query.append_pair(name, value);
        }
        self.with_query(route, &query.finish())
    }

    /// A view with a query that is encoded already.
    pub(super) fn with_query(&self, route: Route, query: &str) -> String {
        let path = self.path(route.path());
        match query.is_empty() {
            true => path,
            false => format!("{path}?{query}"),
        }
    }
}
