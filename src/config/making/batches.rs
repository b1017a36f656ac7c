//! Which records share a request, and in which order they go: `batch` and `order_by`.

use super::Making;
use crate::batch::{BatchConfig, BatchLimits, BodyShape};
use crate::endpoint::{Endpoint, Routes};
use crate::pipeline::OrderBy;

impl Making<'_> {
    pub(super) fn check_order(&mut self) {
        let is_nameless = |path: &String| path.split('.').any(str::is_empty);
        if self.config.order_by.iter().flatten().any(is_nameless) {
            self.problem("order_by", "a field has no name, write `name` or `outer.inner`");
        }
    }

    /// What keeps the order: what the job says, else in a change feed what tells its records apart.
    pub(super) fn order_by(&self, routes: &Routes) -> OrderBy {
        match &self.config.order_by {
            Some(fields) if fields.is_empty() => OrderBy::Nothing,
            Some(fields) => OrderBy::All(fields.clone()),
            None if routes.is_change_feed() => OrderBy::Any(routes.identifiers()),
            None => OrderBy::Nothing,
        }
    }

    pub(super) fn batch(&mut self, endpoint: &Endpoint) -> BatchLimits {
        let config = self.config.batch.clone().unwrap_or_default();
        let max_records = config
            .max_records
            .unwrap_or_else(|| endpoint.default_max_records());
        let name = endpoint.name();
        if let Some(most) = endpoint.most_records().filter(|most| max_records > *most) {
            self.problem(
                "batch.max_records",
                match most {
                    1 => format!("`{name}` takes one record a request"),
                    most => format!("`{name}` takes at most {most} records a request"),
                },
            );
        } else if max_records > 1
            && *endpoint.body_shape() == BodyShape::Object
            && endpoint.query_room().is_none()
        {
            self.problem(
                "batch",
                "a body of the shape `object` holds one record; choose `array`, `ndjson` or a jq expression",
            );
        }
        let config = BatchConfig {
            max_bytes: config.max_bytes.or(endpoint.max_bytes()),
            ..config
        };
        self.batch_limits(&config, max_records, endpoint.query_room())
    }

    /// The caps of a batch of so many records, which may add so many bytes to a query.
    pub(in crate::config) fn batch_limits(
        &mut self,
        config: &BatchConfig,
        max_records: u32,
        query_room: Option<usize>,
    ) -> BatchLimits {
        if max_records == 1 {
            let idle = [
                ("group_by", !config.group_by.is_empty()),
                ("max_wait", config.max_wait.is_some()),
            ];
            for (key, _) in idle.iter().filter(|(_, is_given)| *is_given) {
                let message = "it has no effect with one record a request, set `batch.max_records`";
                self.problem(format!("batch.{key}"), message);
            }
        }
        for (key, paths) in [("group_by", &config.group_by), ("distinct", &config.distinct)] {
            if paths.iter().any(|path| path.split('.').any(str::is_empty)) {
                self.problem(
                    format!("batch.{key}"),
                    "a field has no name, write `name` or `outer.inner`",
                );
            }
        }
        let usual = BatchLimits::default();
        BatchLimits {
            max_records: max_records.max(1) as usize,
            max_bytes: config
                .max_bytes
                .map_or(usual.max_bytes, crate::units::ByteSize::as_len),
            max_wait: config
                .max_wait
                .map_or(usual.max_wait, crate::units::TimeSpan::get),
            max_query: query_room.unwrap_or(usual.max_query),
            ..usual
        }
    }
}
