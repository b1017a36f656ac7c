//! The routes of a change feed: several templates of one vendor, each with the part of the destination that it knows.

use std::collections::BTreeSet;

use super::making::{Made, Making};
use crate::batch::BatchConfig;
use crate::batch::BodyShape;
use crate::client::ProxyAuth;
use crate::document::{Problem, closest};
use crate::endpoint::{DestinationConfig, Endpoint, Operation, OperationConfig, Route, Routes};
use crate::template::{Catalog, CatalogError, Template};

const PATH: &str = "destination.operation";

/// A template, and the operations whose records go there.
type Operations<'c> = Vec<(Vec<Operation>, &'c Template)>;

impl Making<'_> {
    /// The templates of a change feed, each once; none where there is no `operation`.
    pub(super) fn operations<'c>(&mut self, catalog: &'c Catalog) -> Operations<'c> {
        let destination = &self.config.destination;
        let Some(config) = &destination.operation else {
            return Vec::new();
        };
        self.check_operation(destination, config);
        let mut operations: Operations<'c> = Vec::new();
        for operation in Operation::ALL {
            let path = format!("{PATH}.{operation}");
            let found = config.template(operation).map(|name| catalog.find(name));
            let template = match found {
                None => continue,
                Some(Ok(template)) => template,
                Some(Err(error @ CatalogError::Unknown { .. })) => {
                    self.problem(path, format!("{error}; `outpour templates` lists them"));
                    continue;
                }
                Some(Err(error)) => {
                    self.problem(path, error.to_string());
                    continue;
                }
            };
            let of_first = operations.first().map(|(_, first)| vendor_of(first));
            if let Some(first) = of_first.filter(|first| *first != vendor_of(template)) {
                let name = &template.name;
                self.problem(
                    &path,
                    format!(
                        "`{name}` is not of the vendor `{first}` as the others are; a job has one vendor"
                    ),
                );
            }
            match operations
                .iter_mut()
                .find(|(_, known)| known.name == template.name)
            {
                Some((same, _)) => same.push(operation),
                None => operations.push((vec![operation], template)),
            }
        }
        operations
    }

    fn check_operation(&mut self, destination: &DestinationConfig, config: &OperationConfig) {
        let others = [
            ("template", destination.template.is_some()),
            ("method", destination.method.is_some()),
            ("url", destination.url.is_some()),
        ];
        for (key, _) in others.iter().filter(|(_, is_given)| *is_given) {
            let message = "`operation` names the templates, leave this out or leave out `operation`";
            self.problem(format!("destination.{key}"), message);
        }
        if config.field.split('.').any(str::is_empty) {
            let message = "a field has no name, write `name` or `outer.inner`";
            self.problem(format!("{PATH}.field"), message);
        }
        let has_template = |operation: &Operation| config.template(*operation).is_some();
        if !Operation::ALL.iter().any(has_template) {
            self.problem(PATH, "name a template for `insert`, `update` or `delete`");
        }
        for operation in config.skip.iter().filter(|operation| has_template(operation)) {
            let message = format!("`{operation}` has a template, and is skipped; leave out one of the two");
            self.problem(format!("{PATH}.skip"), message);
        }
        let batch = self.config.batch.as_ref();
        if batch.is_some_and(|batch| batch.body_shape.is_some()) {
            let message = "the templates of `operation` have each a shape of their own";
            self.problem("batch.body_shape", message);
        }
    }

    /// The endpoints of a change feed, and what is asked of their vendor.
    pub(super) fn routes(
        &mut self,
        config: &OperationConfig,
        operations: &[(Vec<Operation>, &Template)],
        catalog: &Catalog,
        proxy_auth: Option<&ProxyAuth>,
    ) -> Option<Made> {
        let destination = &self.config.destination;
        let templates: Vec<&Template> = operations.iter().map(|(_, template)| *template).collect();
        self.check_parts(destination, &templates);
        let (mut routes, mut preflights) = (Vec::new(), Vec::new());
        let (mut check, mut token) = (None, None);
        for (operations, template) in operations {
            let before = self.problems.len();
            let part = part_of(destination, template, &templates);
            let asked = self.endpoint(part, Some(template), catalog, proxy_auth);
            for problem in &mut self.problems[before..] {
                if problem.path == "destination.template" {
                    problem.path = operations
                        .first()
                        .map_or_else(String::new, |operation| format!("{PATH}.{operation}"));
                }
            }
            check = check.or(asked.check);
            token = token.or(asked.token);
            preflights.push(asked.preflight);
            let endpoint = asked.endpoint;
            routes.extend(endpoint.map(|endpoint| self.route(endpoint, operations.clone())));
        }
        self.forget_repeats();
        let credentials: BTreeSet<&String> = templates.iter().map(|one| &one.file.credential).collect();
        if token.is_some() && credentials.len() > 1 {
            let message =
                "the templates have different credentials, and all requests of a job carry one token";
            self.problem(PATH, message);
        }
        if routes.len() < operations.len() {
            return None;
        }
        let most = routes.iter().map(|route| route.max_records).max().unwrap_or(1);
        let given = self.config.batch.clone().unwrap_or_default();
        if most == 1 && given.max_records.is_some_and(|wanted| wanted > 1) {
            let message = "each of the templates takes one record a request";
            self.problem("batch.max_records", message);
        }
        let room = routes
            .iter()
            .filter_map(|route| route.endpoint.query_room())
            .min();
        let smallest = routes.iter().filter_map(|route| route.endpoint.max_bytes());
        let given = BatchConfig {
            max_bytes: given.max_bytes.or(smallest.min_by_key(|size| size.as_len())),
            ..given
        };
        let limits = self.batch_limits(&given, u32::try_from(most).unwrap_or(u32::MAX), room);
        Some(Made {
            routes: Routes::by_operation(routes, config.clone())?,
            batch: limits,
            check,
            token,
            preflights,
        })
    }

    /// A route: as many records a request as the job says, and the template allows.
    fn route(&self, endpoint: Endpoint, operations: Vec<Operation>) -> Route {
        let wanted = self.config.batch.as_ref().and_then(|batch| batch.max_records);
        let most = match endpoint.body_shape() {
            BodyShape::Object if endpoint.query_room().is_none() => 1,
            _ => endpoint.most_records().unwrap_or(u32::MAX),
        };
        let max_records = wanted.unwrap_or_else(|| endpoint.default_max_records()).min(most);
        Route {
            endpoint: endpoint.into(),
            max_records: max_records.max(1) as usize,
            operations,
        }
    }

    /// What the job gives must be known to one of the templates.
    fn check_parts(&mut self, destination: &DestinationConfig, templates: &[&Template]) {
        let Some(first) = templates.first() else { return };
        let known: BTreeSet<String> = templates
            .iter()
            .flat_map(|template| template.parameters().into_keys())
            .collect();
        for name in destination.parameters.keys() {
            if !known.contains(name) {
                let meant = closest(name, known.iter().map(String::as_str));
                let hint = meant
                    .map(|meant| format!(", did you mean `{meant}`?"))
                    .unwrap_or_default();
                let message = format!("none of the templates has a parameter `{name}`{hint}");
                self.problem(format!("destination.parameters.{name}"), message);
            }
        }
        if destination.base_url.is_some() && templates.iter().any(|other| other.file.host != first.file.host)
        {
            let message = "the templates are on different hosts of the vendor, and this stands for one";
            self.problem("destination.base_url", message);
        }
    }

    /// What is wrong for several of the templates is told once.
    fn forget_repeats(&mut self) {
        let mut problems: Vec<Problem> = Vec::new();
        for problem in self.problems.drain(..) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        self.problems = problems;
        let mut warnings: Vec<String> = Vec::new();
        for warning in self.warnings.drain(..) {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        self.warnings = warnings;
    }
}

/// The part of a destination that is about one of several templates: what another of them takes is not its business.
fn part_of(destination: &DestinationConfig, template: &Template, all: &[&Template]) -> DestinationConfig {
    let mut part = destination.clone();
    part.operation = None;
    part.template = Some(template.name.clone());
    let known = template.parameters();
    part.parameters.retain(|name, _| known.contains_key(name));
    let is_anothers = |name: &String| all.iter().any(|other| other.file.credential == *name);
    part.credentials
        .retain(|name, _| *name == template.file.credential || !is_anothers(name));
    part
}

fn vendor_of(template: &Template) -> &str {
    template.name.split('/').next().unwrap_or_default()
}
