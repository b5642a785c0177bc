//! The calls of the catalog as data, with their texts.

use super::{CLOUDS, EXPORTS, Export};

/// The source of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportSource {
    /// Declared by hand; an example.
    Declared(&'static str),
    /// A call of Microsoft Graph.
    Graph(GraphCall),
    /// A class of the AdminService of a hierarchy.
    Class(ClassCall),
    /// A page of the admin center, from which it is saved.
    Portal(&'static str),
}

/// A call of Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphCall {
    /// `v1.0` or `beta`.
    pub version: &'static str,
    /// The path, with `<id>` for the id of an object.
    pub path: &'static str,
    /// The number of rows of a page; `None` to leave it to Graph.
    pub top: Option<u32>,
    /// The selected properties; empty if the call does not support selection.
    pub select: &'static [&'static str],
    /// The related objects that are included in each row.
    pub expand: Option<&'static str>,
    /// The condition on rows, with `<id>` for the id of an object.
    pub filter: Option<&'static str>,
    /// The cmdlet that returns all rows; `None` to use the cmdlet for arbitrary calls.
    pub cmdlet: Option<&'static str>,
}

/// A class of Configuration Manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCall {
    /// The name of the class; the AdminService distinguishes upper and lower case.
    pub class: &'static str,
    /// The selected properties.
    pub properties: &'static [&'static str],
    /// The key by which instances are read one by one, if some of the properties are lazy.
    pub lazy: Option<ClassKey>,
    /// The properties to order instances by; empty for a class with few instances.
    ///
    /// It is not verified that the route of WMI classes supports `$orderby`, `$top` and `$skip`: Microsoft's pages on
    /// the administration service show only `$filter`, `$select` and `$expand`. A caller that requests pages therefore
    /// has to check their order, and to request the whole class if they are not in order.
    pub order: &'static [&'static str],
}

/// The key of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassKey {
    /// The property.
    pub property: &'static str,
    /// Whether it is a text, which is written in quotes.
    pub is_text: bool,
}

pub(super) const fn graph(version: &'static str, path: &'static str) -> GraphCall {
    GraphCall {
        version,
        path,
        top: None,
        select: &[],
        expand: None,
        filter: None,
        cmdlet: None,
    }
}

pub(super) const fn class(class: &'static str, properties: &'static [&'static str]) -> ClassCall {
    ClassCall {
        class,
        properties,
        lazy: None,
        order: &[],
    }
}

impl GraphCall {
    pub(super) const fn top(mut self, rows: u32) -> Self {
        self.top = Some(rows);
        self
    }

    pub(super) const fn select(mut self, properties: &'static [&'static str]) -> Self {
        self.select = properties;
        self
    }

    pub(super) const fn expand(mut self, property: &'static str) -> Self {
        self.expand = Some(property);
        self
    }

    pub(super) const fn filter(mut self, condition: &'static str) -> Self {
        self.filter = Some(condition);
        self
    }

    pub(super) const fn cmdlet(mut self, name: &'static str) -> Self {
        self.cmdlet = Some(name);
        self
    }

    /// The path and query without the version, for people: `users?$top=999&$select=id`.
    pub fn address(&self) -> String {
        let number = self.top.map(|rows| rows.to_string());
        let select = (!self.select.is_empty()).then(|| self.select.join(","));
        let options = [
            ("$top", number.as_deref()),
            ("$select", select.as_deref()),
            ("$expand", self.expand),
            ("$filter", self.filter),
        ];
        let options = options
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let options: Vec<String> = options.collect();
        match options.is_empty() {
            true => self.path.to_owned(),
            false => format!("{}?{}", self.path, options.join("&")),
        }
    }

    /// The version, path and query of a request, with the id of an object in place of `<id>`.
    pub fn request(&self, id: Option<&str>) -> String {
        let address = format!("{}/{}", self.version, self.address());
        let address = address.replace("<id>", id.unwrap_or("<id>"));
        address.replace(' ', "%20").replace('\'', "%27")
    }
}

impl ClassCall {
    pub(super) const fn lazy(mut self, key: ClassKey) -> Self {
        self.lazy = Some(key);
        self
    }

    pub(super) const fn ordered(mut self, order: &'static [&'static str]) -> Self {
        self.order = order;
        self
    }

    /// The class and query, for people; for a class with lazy properties, those of one instance.
    pub fn address(&self) -> String {
        match self.lazy {
            Some(ClassKey { property, is_text }) => {
                let quote = if is_text { "'" } else { "" };
                format!("{}({quote}<{property}>{quote})", self.class)
            }
            None => self.list(),
        }
    }

    /// The class and query that list all instances; for a class with lazy properties, only their keys.
    pub fn list(&self) -> String {
        let selected = match self.lazy {
            Some(key) => key.property.to_owned(),
            None => self.properties.join(","),
        };
        format!("{}?$select={selected}", self.class)
    }

    /// [`Self::list`] for some of the instances, in order.
    pub fn page(&self, skipped: u64, rows: u64) -> String {
        let order = self.order.join(",");
        format!(
            "{}&$orderby={order}&$top={rows}&$skip={skipped}",
            self.list()
        )
    }

    /// The path of the instance with a key.
    pub fn instance(&self, key: &str) -> String {
        match self.lazy {
            Some(ClassKey { is_text: true, .. }) => {
                format!("{}('{}')", self.class, key.replace('\'', "''"))
            }
            _ => format!("{}({key})", self.class),
        }
    }
}

impl Export {
    /// The request that returns the export, or the instruction for an export without one.
    pub fn call(&self) -> String {
        match self.source {
            ExportSource::Declared(text) | ExportSource::Portal(text) => text.to_owned(),
            ExportSource::Graph(call) => {
                let [global, ..] = CLOUDS;
                format!("GET {}/{}/{}", global.graph, call.version, call.address())
            }
            ExportSource::Class(call) => {
                format!("GET https://<provider>/AdminService/wmi/{}", call.address())
            }
        }
    }

    /// A line of PowerShell that saves the export; `None` if it cannot be saved that way.
    pub fn powershell(&self) -> Option<String> {
        match self.source {
            ExportSource::Declared(_) | ExportSource::Portal(_) => None,
            ExportSource::Graph(call) => Some(self.powershell_of_graph(&call)),
            ExportSource::Class(call) => Some(self.powershell_of_class(&call)),
        }
    }

    /// The export that lists the objects of a call with `<id>`.
    pub fn list_of_objects(&self) -> Option<Self> {
        let (list, _) = self.file.split_once("/<id>/")?;
        let mut exports = EXPORTS.into_iter();
        exports.find(|export| export.file.strip_suffix(".json") == Some(list))
    }

    fn powershell_of_graph(&self, call: &GraphCall) -> String {
        let file = self.file;
        if let Some(cmdlet) = call.cmdlet {
            let properties: Vec<String> = call.select.iter().map(|name| capital(name)).collect();
            let properties = properties.join(",");
            return format!(
                "{cmdlet} -All -Property {properties} | Select-Object {properties} | ConvertTo-Json -Depth 5 | Out-File {file}"
            );
        }
        let address = call.address().replace('$', "`$").replace("<id>", "$_");
        let save = |file: &str| {
            format!(
                "Invoke-MgGraphRequest -Uri \"{}/{address}\" -OutputFilePath {file}",
                call.version
            )
        };
        let Some(list) = self.list_of_objects() else {
            return save(file);
        };
        // A file saved from a cmdlet is an array, and a saved answer an object.
        let ids = match list.source {
            ExportSource::Graph(GraphCall {
                cmdlet: Some(_), ..
            }) => "id",
            _ => "value.id",
        };
        let file = file.replace("<id>", "$_");
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!(
            "(Get-Content {} | ConvertFrom-Json).{ids} | ForEach-Object {{ $null = mkdir -Force {folder}; {} }}",
            list.file,
            save(&file)
        )
    }

    fn powershell_of_class(&self, call: &ClassCall) -> String {
        let (each, depth) = match call.lazy {
            Some(_) => (" | Get-CimInstance", " -Depth 5"),
            None => ("", ""),
        };
        format!(
            "Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName {}{each} | Select-Object {} | ConvertTo-Json{depth} | Out-File {}",
            call.class,
            call.properties.join(","),
            self.file
        )
    }
}

/// The name of a property in the cmdlets of Microsoft Graph, with a capital first letter.
fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
