//! The pulse of the house: pages report how fast it feels, the operator sees it on one page and
//! Prometheus reads it. Who reports is not kept, and nothing says which reel.

mod record;
mod report;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::pulse::{Pulse, PulseReport};
use axum::{
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use self::{record::Record, report::Report};
use crate::{
    chat::Addresses,
    client_address::{Client, Origins},
    config::{Cidr, List, NetworkSettings, Rate},
    error::ApiError,
    metrics::{self, Metrics, Now},
    tasks::Tasks,
};

/// Reports of one address, behind which a whole LAN may be.
const REPORTS: Rate =
    Rate { count: std::num::NonZeroU32::new(20).expect("not zero"), per: Duration::from_secs(10) };

/// Bytes of a report.
const REPORT_MAX: usize = 2 * 1024;

/// How often those who watch are counted for the hour's bars.
const MINUTE: Duration = Duration::from_secs(60);

/// The pulse. A cheap clone.
#[derive(Clone)]
pub struct RumHandle(Arc<Inner>);

struct Inner {
    metrics: Metrics,
    trusted_proxies: List<Cidr>,
    origins: Origins,
    now: Box<dyn Fn() -> Now + Send + Sync>,
    addresses: Mutex<Addresses>,
    record: Mutex<Record>,
}

impl fmt::Debug for RumHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RumHandle").finish_non_exhaustive()
    }
}

impl RumHandle {
    /// Starts counting those who watch; the task ends with `tasks`. `now` tells what others count.
    pub fn start(
        network: &NetworkSettings,
        metrics: Metrics,
        now: impl Fn() -> Now + Send + Sync + 'static,
        tasks: impl Into<Tasks>,
    ) -> Self {
        let pulse = Self(Arc::new(Inner {
            metrics,
            trusted_proxies: network.trusted_proxies.clone(),
            origins: Origins::of(network),
            now: Box::new(now),
            addresses: Mutex::default(),
            record: Mutex::default(),
        }));
        let (tasks, counting) = (tasks.into(), pulse.clone());
        let owner = tasks.clone();
        tasks.spawn(async move {
            let mut life = owner.life("pulse_task_ended");
            while life.run(counting.count_minutes(owner.stop())).await {}
        });
        pulse
    }

    async fn count_minutes(&self, shutdown: &CancellationToken) {
        let mut minutes = interval_at(Instant::now() + MINUTE, MINUTE);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = minutes.tick() => {
                    let watching = (self.0.now)().sockets;
                    self.record().minute(watching);
                }
            }
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, report: &Report) {
        let metrics = &self.0.metrics;
        for swipe in &report.swipes {
            metrics.swiped(*swipe);
        }
        if let Some(cold) = report.cold {
            metrics.opened_cold(cold);
        }
        metrics.stalled(report.stalls);
        for (height, time) in &report.levels {
            metrics.shown(height, *time);
        }
        for (cause, times) in &report.errors {
            metrics.failed(cause, *times);
        }
        self.record().take(report);
    }
}

impl Pulse for RumHandle {
    fn report(&self) -> PulseReport {
        let now = (self.0.now)();
        let metrics = &self.0.metrics;
        PulseReport {
            watching: now.sockets,
            rooms: now.rooms,
            channels: now.channels,
            messages: now.messages,
            memory_bytes: metrics.memory(),
            uptime_s: metrics.uptime().as_secs(),
            ..self.record().report(now.sockets)
        }
    }
}

/// `POST /api/pulse`. The request needs `ConnectInfo`.
pub async fn hear(
    State(pulse): State<RumHandle>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let inner = &pulse.0;
    if !inner.origins.admit(&parts.headers, &parts.uri, peer) {
        return ApiError::ForeignOrigin.into_response();
    }
    let trusted = &inner.trusted_proxies;
    let address = Client::of(trusted, peer, &parts.headers, &parts.uri).address;
    let taken = {
        let now = Instant::now();
        let mut addresses = inner.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.of(address, now).take(REPORTS, now)
    };
    if let Err(wait) = taken {
        let seconds = wait.as_millis().div_ceil(1_000).to_string();
        return ([(header::RETRY_AFTER, seconds)], ApiError::SlowDown).into_response();
    }
    if !is_text(&parts.headers) {
        return ApiError::MediaType.into_response();
    }
    let body = match to_bytes(body, REPORT_MAX).await {
        Ok(body) => body,
        Err(error) => return ApiError::of_body(&error).into_response(),
    };
    match Report::read(&body) {
        Some(report) => {
            pulse.count(&report);
            StatusCode::NO_CONTENT.into_response()
        }
        None => ApiError::BadBody.into_response(),
    }
}

/// What `navigator.sendBeacon` sends of a text, and what a script calls JSON.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| {
        ["text/plain", "application/json"].iter().any(|text| kind.eq_ignore_ascii_case(text))
    })
}

/// `GET /metrics`.
pub async fn tell(State(pulse): State<RumHandle>) -> Response {
    match pulse.0.metrics.text((pulse.0.now)()) {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::TEXT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            ApiError::Internal.into_response()
        }
    }
}
