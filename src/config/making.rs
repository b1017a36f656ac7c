//! Making a plan: each part of a configuration resolved, compiled and checked.

mod batches;

use std::path::PathBuf;

use super::fingerprint::fingerprint;
use super::{Check, Config, Plan, PlanOptions};
use crate::accepted::{AcceptedConfig, AcceptedFile, Columns};
use crate::batch::BatchLimits;
use crate::client::{
    IDLE_MAXIMUM, Limits, LimitsConfig, ProxyAuth, Rates, SenderSettings, TokenSettings, TransportSettings,
};
use crate::document::{Document, Problem};
use crate::endpoint::{AuthConfig, DestinationConfig, Endpoint, EndpointInput, Operation, Routes};
use crate::pipeline::Job;
use crate::preflight::Preflight;
use crate::rejects::Keep;
use crate::shape::Shaper;
use crate::template::{Catalog, CatalogError, Template};
use crate::webhook::{EventContext, EventSource};

/// An endpoint, and what is asked of its vendor besides.
pub(super) struct Asked {
    pub(super) endpoint: Option<Endpoint>,
    pub(super) check: Option<Check>,
    pub(super) token: Option<TokenSettings>,
    pub(super) preflight: Option<Preflight>,
}

/// A plan in the making: what is known so far, and everything that is wrong.
pub(super) struct Making<'a> {
    pub(super) config: &'a Config,
    pub(super) document: &'a Document,
    pub(super) options: &'a PlanOptions,
    pub(super) problems: Vec<Problem>,
    /// What the user should know of what was read so far.
    pub(super) warnings: Vec<String>,
    /// The file of definitions, as it was read.
    pub(super) definitions_text: Option<String>,
}

/// The endpoints of a job, and what is asked of their vendor before anything is sent.
pub(super) struct Made {
    pub(super) routes: Routes,
    pub(super) batch: BatchLimits,
    pub(super) check: Option<Check>,
    pub(super) token: Option<TokenSettings>,
    pub(super) preflights: Vec<Option<Preflight>>,
}

impl Making<'_> {
    pub(super) fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    pub(super) fn good<T, E: ToString>(&mut self, path: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(path, error.to_string())).ok()
    }

    pub(super) fn plan(&mut self, catalog: &Catalog) -> Option<Plan> {
        let config = self.config;
        let operations = self.operations(catalog);
        let template = match operations.first() {
            Some((_, template)) => Some(*template),
            None => self.template(catalog),
        };
        let shaper = self.shaper();
        self.check_order();
        let limits = self.limits(template);
        for (key, message) in config.http.idle_keys() {
            self.problem(format!("http.{key}"), message);
        }
        let proxy_auth = self.proxy_auth();
        let webhook = config.webhook.as_ref().and_then(|webhook| self.webhook(webhook));
        let made = self.made(&operations, template, catalog, proxy_auth.as_ref());
        let (made, limits) = (made?, limits?);
        let transport = TransportSettings {
            timeouts: config.timeouts.clone(),
            http: config.http.clone(),
            proxy_auth,
            pool: limits.concurrency.most(),
        };
        let accepted = config.accepted.as_ref().map(|accepted| self.accepted(accepted));
        let mut job = self.job(made.routes, shaper?, made.batch, &limits);
        job.accepted = accepted;
        Some(Plan {
            context: EventContext {
                run_id: job.run_id.clone(),
                job: job.name.clone(),
                sources: job
                    .routes
                    .iter()
                    .map(|route| EventSource {
                        template: route.endpoint.name().to_owned(),
                        identifiers: route.endpoint.identifiers().to_vec(),
                    })
                    .collect(),
            },
            job,
            sender: SenderSettings {
                limits,
                retry: config.retry.clone(),
                redirects: config.http.redirects,
                token: made.token,
                seed: None,
            },
            transport,
            webhook,
            responses: config.responses.as_ref().map(|responses| responses.path.clone()),
            check: made.check,
            preflights: made.preflights,
            fingerprint: fingerprint(config, template, &operations, self.definitions_text.as_deref()),
            warnings: self.warnings(),
        })
    }

    /// The endpoints, and what is asked of their vendor.
    fn made(
        &mut self,
        operations: &[(Vec<Operation>, &Template)],
        template: Option<&Template>,
        catalog: &Catalog,
        proxy_auth: Option<&ProxyAuth>,
    ) -> Option<Made> {
        let destination = &self.config.destination;
        if let Some(operation) = &destination.operation {
            return self.routes(operation, operations, catalog, proxy_auth);
        }
        if destination.template.is_some() && template.is_none() {
            return None;
        }
        let Asked {
            endpoint,
            check,
            token,
            preflight,
        } = self.endpoint(destination.clone(), template, catalog, proxy_auth);
        let endpoint = endpoint?;
        let batch = self.batch(&endpoint);
        Some(Made {
            routes: Routes::one(endpoint, batch.max_records),
            batch,
            check,
            token,
            preflights: vec![preflight],
        })
    }

    fn job(&self, routes: Routes, shaper: Shaper, batch: BatchLimits, limits: &Limits) -> Job {
        let config = self.config;
        let rejects = config
            .rejects
            .path
            .clone()
            .unwrap_or_else(|| format!("{}.rejected", config.name()).into());
        let run_id = uuid::Uuid::now_v7().to_string();
        Job {
            key_id: run_id.clone(),
            is_doubtful: false,
            is_cut_short: false,
            run_id,
            name: config.name().to_owned(),
            order_by: self.order_by(&routes),
            routes,
            keep: Keep {
                body: config.rejects.body,
                exclude: config.rejects.exclude.then(|| shaper.exclusion()),
            },
            shaper,
            batch,
            group_by: config
                .batch
                .as_ref()
                .map(|batch| batch.group_by.clone())
                .unwrap_or_default(),
            in_flight: limits.concurrency.most() as usize * 2,
            stop_when: config.stop_when.clone(),
            limit: self.options.limit,
            in_doubt: config.in_doubt,
            doubts: in_doubt_beside(&rejects),
            accepted: None,
            rejects,
            grace: config.grace.get(),
            books: None,
        }
    }

    /// The columns stand in the file as the configuration has them.
    fn accepted(&mut self, config: &AcceptedConfig) -> AcceptedFile {
        let mut given: Vec<(&String, &String)> = config.columns.iter().collect();
        let place = |name: &str| {
            let name = name.replace('~', "~0").replace('/', "~1");
            self.document.place(&format!("/accepted/columns/{name}"))
        };
        given.sort_by_key(|(name, _)| place(name));
        let mut columns = Columns::default();
        for (name, expression) in given {
            self.good(&format!("accepted.columns.{name}"), columns.add(name, expression));
        }
        let path = config.path.clone().unwrap_or_else(|| "accepted".into());
        AcceptedFile::new(&path, columns)
    }

    fn shaper(&mut self) -> Option<Shaper> {
        let wrong = match Shaper::compile(&self.config.records) {
            Ok(shaper) => return Some(shaper),
            Err(wrong) => wrong,
        };
        for error in wrong {
            self.problem(format!("records.{}", error.key()), error.to_string());
        }
        None
    }

    fn template<'c>(&mut self, catalog: &'c Catalog) -> Option<&'c Template> {
        let name = self.config.destination.template.as_deref()?;
        catalog
            .find(name)
            .map_err(|error| match error {
                CatalogError::Unknown { .. } => {
                    self.problem(
                        "destination.template",
                        format!("{error}; `outpour templates` lists them"),
                    );
                }
                other => self.problem("destination.template", other.to_string()),
            })
            .ok()
    }

    pub(super) fn endpoint(
        &mut self,
        mut destination: DestinationConfig,
        template: Option<&Template>,
        catalog: &Catalog,
        proxy_auth: Option<&ProxyAuth>,
    ) -> Asked {
        if let Some(mock) = &self.options.mock {
            match (template, &mut destination.url) {
                (Some(template), _) => {
                    self.refuse_other_vendor(template, mock);
                    destination.base_url = mock.hosts.get(&template.file.host).cloned();
                }
                (None, Some(url)) => self.point_at_mock("destination.url", url, mock, catalog),
                (None, None) => {}
            }
            if let AuthConfig::Oauth2 { token_url, .. } = &mut destination.auth {
                self.point_at_mock("destination.auth.token_url", token_url, mock, catalog);
            }
        }
        let mut secrets = self.secrets(template);
        // A reply may be the proxy's, and repeat what it was sent.
        if let Some(auth) = proxy_auth {
            secrets.insert("http.proxy_auth.password".to_owned(), auth.password.clone());
        }
        let batch = self.config.batch.as_ref();
        self.refuse_inline_headers(&destination.headers);
        let definitions = self.definitions();
        let input = EndpointInput {
            destination: &destination,
            template,
            secrets: &secrets,
            body_shape: batch.and_then(|batch| batch.body_shape.as_ref()),
            is_batched: batch.is_some_and(|batch| batch.max_records != Some(1)),
            distinct: batch.map_or(&[], |batch| &batch.distinct),
            empty: self.config.records.empty,
            definitions: definitions.as_ref(),
        };
        let endpoint = Endpoint::compile(&input)
            .map_err(|problems| self.problems.extend(problems))
            .ok();
        let check = template.and_then(|template| self.check(template, &secrets));
        let preflight = template.and_then(|template| self.preflight(template, &secrets));
        let token = self.token(&destination, template, &secrets);
        Asked {
            endpoint,
            check,
            token,
            preflight,
        }
    }

    fn limits(&mut self, template: Option<&Template>) -> Option<Limits> {
        let defaults = template
            .map(|template| template.vendor.limits.clone())
            .unwrap_or_default();
        // The vendor's pace is not the mock's; what the job itself says holds there too.
        let defaults = if self.options.mock.is_some() {
            LimitsConfig::default()
        } else {
            defaults
        };
        let merged = self.config.limits.clone().or(defaults);
        if self.config.limits.burst.is_some() && merged.rate.as_ref().is_none_or(Rates::is_empty) {
            self.problem("limits.burst", "it belongs to a `rate`, and none is set");
        }
        if self.config.limits.has_idle_maximum(&merged) {
            self.problem("limits.max_concurrency", IDLE_MAXIMUM);
        }
        self.good("limits", merged.check())
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        if self.config.rejects.exclude && self.config.records.map.is_some() {
            warnings.push(
                "`rejects.exclude` goes by names in the input, and `records.map` may have given others"
                    .to_owned(),
            );
        }
        if self.config.destination.allow_http {
            warnings.push("`allow_http` is on: credentials and records may travel unencrypted".to_owned());
        }
        if self.config.http.danger_accept_any_certificate {
            warnings.push(
                "`http.danger_accept_any_certificate` is on: anyone on the way can read and change what is sent"
                    .to_owned(),
            );
        }
        warnings
    }
}

fn in_doubt_beside(rejects: &std::path::Path) -> PathBuf {
    let text = rejects.as_os_str().to_string_lossy();
    match text.strip_suffix(".rejected") {
        Some(stem) => format!("{stem}.in-doubt").into(),
        None => format!("{text}.in-doubt").into(),
    }
}
